import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { projectRoot } from '../support/paths.js';

/** What SQLite takes and PostgreSQL does not, and how both say it (`src/store/README.md`). */
const slips: readonly [what: RegExp, instead: string][] = [
  [/\binsert or (?:ignore|replace|abort|rollback)\b|\breplace into\b/i, 'on conflict (...) do ...'],
  [/\b(?:rowid|_rowid_|last_insert_rowid|sqlite_master|sqlite_schema|sqlite_sequence)\b/i, 'a column of its own'],
  [/\b(?:group_concat|json_extract|json_group_array|unixepoch|strftime|ifnull|iif|printf|instr)\(/i, 'standard SQL'],
  [/\bglob\b/i, 'like'],
  [/\bis (?:not )?\?/i, 'is [not] distinct from ?'],
  [/\b(?:not )?indexed by\b/i, 'nothing: the planner of each engine decides'],
  [
    /\bfrom \((?:[^()]|\([^()]*\))*\)(?!\s*(?:as\s|\$))\s*(?:where|order|limit|group|join|$|\)|`)/im,
    'from (...) as name',
  ],
];

const source = join(projectRoot, 'src');
const texts = readdirSync(source, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts') && !name.startsWith('store/') && !/^(dashboard|cli\/import)\//.test(name))
  .flatMap((name) => statementsIn(readFileSync(join(source, name), 'utf8')).map((text) => ({ name, text })));

/** String literals that begin like a statement, or like a part of one. */
function statementsIn(code: string): string[] {
  return [...code.matchAll(/`([^`]*)`|'((?:[^'\\\n]|\\.)*)'|"((?:[^"\\\n]|\\.)*)"/g)]
    .map(([, ...kinds]) => kinds.find((kind) => kind !== undefined) ?? '')
    .filter((text) =>
      /^\s*(?:select|insert into|insert or|update \w+\s+set|delete from|with (?:recursive )?\w+)\b/i.test(text),
    );
}

function slipsIn(text: string): string[] {
  return slips.flatMap(([what, instead]) => (what.test(text) ? [`write: ${instead}`] : []));
}

test('no statement uses what only SQLite understands', () => {
  expect(texts.length).toBeGreaterThan(200);
  expect(texts.flatMap(({ name, text }) => slipsIn(text).map((slip) => `${name}: ${slip}: ${text}`))).toEqual([]);
});

test.each([
  'insert or ignore into tasks (id) values (?)',
  'select * from tasks where parent_id is ?',
  'select count(*) from (select 1 from jobs limit 3)',
  "select group_concat(name, ',') from goals",
])('the check sees the slip in: %s', (text) => {
  expect(slipsIn(text)).not.toEqual([]);
});

test('the check lets standard SQL through', () => {
  expect(
    slipsIn('select id from (select id from tasks order by id limit ?) as page where id is distinct from ?'),
  ).toEqual([]);
});
