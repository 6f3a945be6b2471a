import { expect, it } from 'vitest';
import { toSearchQuery } from '../../../../src/downstream/native/arxiv/search-query.js';

it.each([
  ['transformer', 'all:transformer'],
  ['graph neural networks', 'all:graph AND all:neural AND all:networks'],
  ['"attention is all you need" vaswani', 'all:"attention is all you need" AND all:vaswani'],
  ['cats OR dogs', 'all:cats OR all:dogs'],
  ['cats ANDNOT dogs birds', 'all:cats ANDNOT all:dogs AND all:birds'],
])('words must all occur, phrases as they are, operators join: %s', (text, query) => {
  expect(toSearchQuery(text)).toBe(query);
});

it.each([
  'au:hinton AND cat:cs.LG',
  'ti:"deep learning"',
  '(abs:quark OR abs:gluon) ANDNOT co:erratum',
  'all:electron',
  'submittedDate:[202601010000 TO 202602010000]',
  'jr:nature',
  'rn:CERN-1',
  'id:1706.03762',
])('a query that names fields is left as it is: %s', (query) => {
  expect(toSearchQuery(query)).toBe(query);
});

it.each([
  ['O(n log n) sorting', 'all:"O(n" AND all:log AND all:"n)" AND all:sorting'],
  ['Foo: a study', 'all:"Foo:" AND all:a AND all:study'],
  ['"says ti:hello" there', 'all:"says ti:hello" AND all:there'],
  ['one "unfinished phrase', 'all:one AND all:unfinished AND all:phrase'],
  ['Größe 日本', 'all:Größe AND all:日本'],
  ['C++ vs - Rust', 'all:C++ AND all:vs AND all:Rust'],
])('what would be read as syntax is put into a phrase, what is no word left out: %s', (text, query) => {
  expect(toSearchQuery(text)).toBe(query);
});

it.each(['""', '--', '( )', '"  "'])('nothing is left of %s', (text) => {
  expect(toSearchQuery(text)).toBe('');
});
