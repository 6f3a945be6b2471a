import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { escapeLabel, toPrometheus } from '../../../src/core/metrics/prometheus.js';
import { readSnapshot } from '../../../src/core/metrics/snapshot.js';
import { completed, failing, testQueue } from '../jobs/queue.js';
import { checkWith, findPromtool } from './promtool.js';
import { slots } from './samples.js';

/** Reads a label as Prometheus does: from the quote to the next one without a backslash before it. */
function readLabel(text: string): { value: string; rest: string } {
  let value = '';
  for (let place = 0; place < text.length; place++) {
    const character = text[place] ?? '';
    if (character === '"') return { value, rest: text.slice(place + 1) };
    if (character === '\n') throw new Error('The line ends inside a label.');
    if (character !== '\\') {
      value += character;
      continue;
    }
    place++;
    const escaped = { n: '\n', '"': '"', '\\': '\\' }[text[place] ?? ''];
    if (escaped === undefined) throw new Error(`Unknown escape \\${text[place]}.`);
    value += escaped;
  }
  throw new Error('The label has no end.');
}

const anyText = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 40 }),
  fc.string({ unit: fc.constantFrom('\\', '"', '\n', 'n', '{', '}', ',', '=', ' ', '\r', '\u2028'), maxLength: 12 }),
);

it('a label of any text stays on its line and reads back as it was', () => {
  fc.assert(
    fc.property(anyText, (text) => {
      expect(readLabel(`${escapeLabel(text)}"} 1`)).toEqual({ value: text, rest: '} 1' });
    }),
    { numRuns: 2_000 },
  );
});

it('a metric without values is left out, one without labels has no braces', () => {
  const text = toPrometheus([
    { name: 'none', type: 'gauge', help: 'None.', labels: [], samples: [] },
    {
      name: 'one',
      type: 'gauge',
      help: 'A \\ and\na line end.',
      labels: [],
      samples: [{ suffix: '', labels: [], value: 0.5 }],
    },
  ]);
  expect(text).toBe(
    '# HELP agent_runtime_one A \\\\ and\\na line end.\n# TYPE agent_runtime_one gauge\nagent_runtime_one 0.5\n',
  );
});

describe('what a runtime shows', () => {
  /** One of everything, with breakers named as a user may name them. */
  async function busyRuntime() {
    const queue = await testQueue();
    const { runtime } = queue;
    await queue.finish(await queue.running(), completed);
    await queue.finish(await queue.running(), failing(false));
    const { id } = await queue.submit();
    await queue.jobs.cancel(id, { holder: null, project: '' });
    await queue.running();
    for (const breaker of ['llm:anthropic', 'server:github#2', 'a "quoted" \\ name\nof two lines', 'é#ü']) {
      await runtime.breakers.acquire(breaker);
    }
    runtime.metrics.countToolCall('get_task', 'ok');
    await runtime.metrics.flush();
    return runtime;
  }

  it('has no series twice, and each of its metrics once', async () => {
    const { db } = await busyRuntime();
    const lines = toPrometheus(await readSnapshot(db, slots, Date.now()))
      .trim()
      .split('\n');
    const series = lines.filter((line) => !line.startsWith('#')).map((line) => line.slice(0, line.lastIndexOf(' ')));
    expect(new Set(series).size).toBe(series.length);
    const types = lines.filter((line) => line.startsWith('# TYPE'));
    expect(new Set(types).size).toBe(types.length);
    expect(types.length).toBeGreaterThan(10);
  });

  const promtool = findPromtool();
  if ('problem' in promtool) process.stderr.write(`Not checked with promtool: ${promtool.problem}.\n`);

  it.skipIf('problem' in promtool)('passes the check of promtool, and a text with a fault does not', async () => {
    if ('problem' in promtool) return;
    const { metrics } = await busyRuntime();
    const text = await metrics.prometheus();
    expect(checkWith(promtool.path, text)).toEqual({ status: 0, says: '' });
    expect(checkWith(promtool.path, text.replace('} ', '" ')).status).not.toBe(0);
    expect(checkWith(promtool.path, text.replaceAll('jobs_submitted_total', 'jobs_submitted')).status).not.toBe(0);
  });
});
