import { describe, expect, it } from 'vitest';
import { createRandom } from '../../../src/agents/ml-experiment/random.js';
import { parseTable, type TableRules } from '../../../src/agents/ml-experiment/table.js';
import { splitTabular } from '../../../src/agents/ml-experiment/tabular.js';

const plain: TableRules = { target: 'y', categorical: [], ordinal: {}, ignore: [], missing: 'fill' };
const parse = (text: string, rules: Partial<TableRules> = {}) => parseTable(text, { ...plain, ...rules }, 'f.csv');
const rowOf = ({ features, inputs }: { features: Float64Array; inputs: number }, row: number) => [
  ...features.slice(row * inputs, (row + 1) * inputs),
];

describe('a column becomes inputs', () => {
  const text = 'age,town,size,code,y\n30,Rome,large,1,no\n41.5,Oslo,small,2,yes\n,,,1,no\n-2e1,Rome,medium,2,yes\n';

  it('by its kind: numbers, one-hot categories with one for missing values, ordered levels', () => {
    const table = parse(text, { categorical: ['code'], ordinal: { size: ['small', 'medium', 'large'] } });
    expect(table.columns).toEqual([
      { name: 'age', kind: 'number', missing: 1, min: -20, max: 41.5 },
      { name: 'town', kind: 'category', missing: 1, categories: ['Oslo', 'Rome'] },
      { name: 'size', kind: 'ordinal', missing: 1, categories: ['small', 'medium', 'large'] },
      { name: 'code', kind: 'category', missing: 0, categories: ['1', '2'] },
    ]);
    expect([0, 1, 2, 3].map((row) => rowOf(table, row))).toEqual([
      [30, 0, 1, 0, 2, 1, 0],
      [41.5, 1, 0, 0, 0, 0, 1],
      [Number.NaN, 0, 0, 1, Number.NaN, 1, 0],
      [-20, 0, 1, 0, 1, 0, 1],
    ]);
    expect([table.task, table.classes, [...table.labels]]).toEqual(['classification', ['no', 'yes'], [0, 1, 0, 1]]);
  });

  it('and rows with missing values go when they are to be dropped', () => {
    const more = `${text}50,Oslo,small,1,no\n`;
    expect(parse(more, { missing: 'drop', ordinal: { size: ['small', 'medium', 'large'] } })).toMatchObject({
      rows: 4,
      droppedRows: 1,
    });
  });
});

describe('the task follows from the target', () => {
  const withTarget = (values: string[]) => `x,y\n${values.map((value, row) => `${row},${value}`).join('\n')}\n`;

  it.each([
    ['words', ['b', 'a', 'b', 'a'], 'classification', ['a', 'b']],
    ['few whole numbers, sorted as numbers', ['10', '9', '10', '9'], 'classification', ['9', '10']],
    ['fractions', ['1.5', '2', '3', '4'], 'regression', []],
  ])('%s', (_, values, task, classes) => {
    expect(parse(withTarget(values))).toMatchObject({ task, classes });
  });

  it('unless it is said', () => {
    expect(parse(withTarget(['1', '2', '1', '2']), { task: 'regression' })).toMatchObject({
      task: 'regression',
      labels: Float64Array.of(1, 2, 1, 2),
    });
  });
});

describe('what is wrong is named with its line and column', () => {
  const good = 'a,b,y\n1,x,p\n2,x,q\n3,z,p\n4,z,q\n';
  it.each<[string, string, string, Partial<TableRules>]>([
    ['a number mistyped', good.replace('\n3,', '\n3O,'), 'line 4: column 1 (a) is "3O", not a number', {}],
    ['a target without value', good.replace('z,p', 'z,'), 'line 4: column 3 (y) is the target and has no value', {}],
    ['a regression of words', good, 'line 2: column 3 (y) is "p", not a number', { task: 'regression' }],
    ['a class of one row', good.replace('z,p', 'z,r'), 'column 3 (y) is "p" in this row alone', {}],
    ['one class alone', good.replaceAll('q', 'p'), 'column 3 (y) is "p" in every row', {}],
    ['a level unknown', good, 'line 4: column 2 (b) is "z", none of "x", "w"', { ordinal: { b: ['x', 'w'] } }],
    ['a ragged row', good.replace('2,x,q', '2,x'), 'line 3: Invalid Record Length', {}],
    ['a column named twice', good.replace('a,b', 'a,a'), 'line 1: the header names "a" twice', {}],
    ['a column without name', good.replace('a,b', 'a,'), 'line 1: column 2 has no name', {}],
    ['an unknown target', good, 'line 1: there is no column "z"; the header names "a", "b", "y"', { target: 'z' }],
    ['an ignored target', good, 'the target "y" cannot be left out', { ignore: ['y'] }],
    ['nothing to learn from', good, 'it has no column but y', { ignore: ['a', 'b'] }],
    ['a column of nothing', good.replaceAll(/[1-4],/g, '?,'), 'column 1 (a) has no value', {}],
    ['too few rows', 'a,y\n1,p\n2,q\n', 'it has 2 rows with values; at least 4 are needed', {}],
    ['a web page', '<html></html>', 'it is a web page or XML, not CSV', {}],
    ['an empty file', '', 'it is empty', {}],
    [
      'names taken for categories',
      `a,y\n${Array.from({ length: 102 }, (_, row) => `n${row},${row % 2 ? 'p' : 'q'}`).join('\n')}\n`,
      'column 1 (a) has 102 different values, too many for categories (at most 100); leave it out with --ignore a',
      {},
    ],
  ])('%s', (_, text, words, rules) => {
    const attempt = () => parse(text, rules);
    expect(attempt).toThrow(expect.objectContaining({ name: 'AgentError', code: 'DATASET_INVALID' }));
    expect(attempt).toThrow(words);
    expect(attempt).toThrow(/^f\.csv/);
  });
});

describe('a split', () => {
  const rows = Array.from(
    { length: 40 },
    (_, row) => `${row * row},${row % 3 === 0 ? '' : row},${row % 4 ? 'p' : 'q'}`,
  );
  const table = parse(`a,b,y\n${rows.join('\n')}\n`);
  const rule = { testFraction: 0.25, limitTrain: undefined, limitTest: undefined };
  const split = (seed: number) => splitTabular(table, rule, createRandom(seed));

  it('is the same for the same seed, another for another, and stratified', () => {
    expect(split(7)).toEqual(split(7));
    expect(split(8)).not.toEqual(split(7));
    const { train, test } = split(7);
    const count = (labels: ArrayLike<number>, label: number) =>
      Array.from(labels).filter((one) => one === label).length;
    expect([train.count, test.count, count(test.labels, 0), count(test.labels, 1)]).toEqual([29, 11, 8, 3]);
  });

  it('scales by the train rows alone, and fills a missing number with their mean', () => {
    const { train, test } = split(7);
    const column = (of: typeof train, input: number) =>
      Array.from({ length: of.count }, (_, row) => of.features[row * 2 + input] ?? 0);
    const sum = (values: number[]) => values.reduce((total, value) => total + value, 0);
    expect(sum(column(train, 0))).toBeCloseTo(0, 10);
    expect(sum(column(train, 0).map((value) => value ** 2)) / train.count).toBeCloseTo(1, 10);
    // The values of the file come back by the scale of the train rows, which two train rows give away.
    const squares = new Set(rows.map((_, row) => row * row));
    const [first = 0, second = 0] = column(train, 0);
    const known = [...squares].flatMap((a) => [...squares].map((b) => [a, b] as const));
    const fits = known.some(([a, b]) => {
      const unit = (a - b) / (first - second);
      const back = [...column(train, 0), ...column(test, 0)].map((value) => (value - first) * unit + a);
      return (
        unit > 0 && back.every((value) => squares.has(Math.round(value)) && Math.abs(value - Math.round(value)) < 1e-6)
      );
    });
    expect(fits).toBe(true);
    expect(sum(column(test, 0))).not.toBeCloseTo(0, 1);
    expect([...column(train, 1), ...column(test, 1)].filter((value) => value === 0).length).toBe(14);
  });
});
