"""Says hello over HTTP."""

import os

from bottle import Bottle, run

app = Bottle()


@app.get("/hello/<name>")
def hello(name):
    return {"hello": name}


def main():
    run(app, host="0.0.0.0", port=int(os.environ.get("PORT", "8080")))
