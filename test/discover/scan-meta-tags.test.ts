import { describe, expect, test } from 'vitest';
import { scanMetaTags } from '../../src/discover/scan-meta-tags.ts';

const META = '<meta name="a" content="b">';
const FOUND = [{ name: 'a', content: 'b' }];

describe('meta tags are found', () => {
  test.each([
    ['in a plain page', `<!doctype html><html lang="en"><head><title>x</title>${META}</head><body></body></html>`],
    ['without html and head', META],
    ['in capitals', '<META NAME="a" CONTENT="b">'],
    ['closed as in XHTML', '<?xml version="1.0"?><html><head><meta name="a" content="b"/></head></html>'],
    ['with simple quotes and none', "<meta content='b' name=a>"],
    ['behind a comment that holds another', `<!-- <meta name="x" content="y"> -->${META}`],
    ['behind a script that writes another', `<script>document.write('<meta name="x" content="y">')</script>${META}`],
    ['behind other elements of a head', `<link rel="icon" href="x"><base href="/"><style>a{}</style>${META}`],
    ['with attributes of all kinds', '<meta data-x id=1 itemscope name="a" lang="" content="b" >'],
    ['behind a byte order mark', `\ufeff${META}`],
  ])('%s', (_, html) => {
    expect(scanMetaTags(html)).toEqual(FOUND);
  });

  test('with their entities decoded', () => {
    expect(
      scanMetaTags('<meta name="a" content="&lt;x&gt; &amp;amp; &quot;&#x41;&#66;&apos; &nope; &#xd800; &#0;">'),
    ).toEqual([{ name: 'a', content: '<x> &amp; "AB\' &nope; \ufffd \ufffd' }]);
  });

  test('with the first of an attribute that stands twice', () => {
    expect(scanMetaTags('<meta name="a" name="x" content="b" content="y">')).toEqual(FOUND);
  });
});

describe('meta tags are not found', () => {
  test.each([
    ['in a body', `<html><head></head><body>${META}</body></html>`],
    ['behind text, which belongs into a body', `<html><head>hello${META}`],
    ['behind an element of a body', `<head><div></div>${META}`],
    ['behind the end of a head', `</head>${META}`],
    ['in a title', `<title>${META}</title>`],
    ['in a script that never ends', `<script>${META}`],
    ['in a comment that never ends', `<!-- ${META}`],
    ['in a template', `<template>${META}</template>`],
    ['behind a broken tag', `<meta name="x${META.replaceAll('"', '')}`],
    ['in text that is no page', 'hello'],
    ['in nothing', ''],
  ])('%s', (_, html) => {
    expect(scanMetaTags(html)).toEqual([]);
  });

  test('beyond two hundred', () => {
    expect(scanMetaTags(META.repeat(500))).toHaveLength(200);
  });
});

test.each([
  ['spaces', `<meta ${' '.repeat(1 << 20)}`],
  ['attributes', `<meta ${'a='.repeat(1 << 19)}`],
  ['quotes', `<meta ${'"'.repeat(1 << 20)}`],
  ['closing tags', `<title>${'</title '.repeat(1 << 17)}`],
  ['comments', '<!--'.repeat(1 << 18)],
  ['brackets', '<'.repeat(1 << 20)],
  ['entities', `<meta name="a" content="${'&#x'.repeat(1 << 18)}">`],
])('a page of nothing but %s is read in no time', (_, html) => {
  const before = process.cpuUsage();
  scanMetaTags(html);
  const { user, system } = process.cpuUsage(before);
  expect((user + system) / 1000).toBeLessThan(1000);
});
