#!/usr/bin/env node
const express = require('express');

const app = express();
app.get('/hello/:name', (request, answer) => answer.json({ hello: request.params.name }));

const server = app.listen(Number(process.env.PORT ?? 8080), () => console.log('listens on', server.address().port));
process.on('SIGTERM', () => server.close());
