import type { Launch } from '../launch.js';

/** The text of a new module: it works as it is, and its comments say what each part is for. */
export function agentText(type: string, { isTypeScript }: { isTypeScript: boolean }): string {
  return `// An agent runs the jobs of one type, each in a process of its own.
import { AgentError, defineAgent } from 'agent-runtime-mcp';
import { z } from 'zod';

export default defineAgent({
  type: '${type}',
  // What it does and when to use it, for the people and models that choose a type.
  description: 'Counts the words of a text.',
  // What a job gives it. It is checked when the job is submitted, with these messages.
  payload: z.object({
    text: z.string().min(1).describe('Any text.'),
  }),
  // How long one attempt may take.
  timeoutSeconds: 60,

  async execute(job, context) {
    const words = job.payload.text.toLowerCase().match(/\\p{L}+/gu) ?? [];
    // A failure that who submitted the job can understand. With true as third argument the job is tried again.
    if (words.length === 0) throw new AgentError('no_words', 'The text has no words.');

    const counts = new Map${isTypeScript ? '<string, number>' : ''}();
    for (const [index, word] of words.entries()) {
      context.signal.throwIfAborted(); // cancelled, or out of time
      counts.set(word, (counts.get(word) ?? 0) + 1);
      context.progress((index + 1) / words.length, word);
    }

    // For the job's log, and a file that is kept with the job.
    context.log('info', 'counted', { words: words.length });
    await context.saveArtifact('counts.json', JSON.stringify(Object.fromEntries(counts)));
    // The result of the job: anything that JSON can hold.
    return { words: words.length, different: counts.size };
  },
});
`;
}

interface TestNeeds {
  /** Name of the module's file, which is beside the test. */
  module: string;
  /** How to start this program; unless given, with Node from its entry file. */
  launch: Launch | undefined;
  entry: string;
}

/** The text of a test of that module, for Node's own test runner. */
export function testText(type: string, { module, launch, entry }: TestNeeds): string {
  const start = launch
    ? `${JSON.stringify(launch.command)}, ${JSON.stringify(launch.args)}`
    : `process.execPath, [${JSON.stringify(entry)}]`;
  return `// Run it with: node --test ${module.replace(/\.\w+$/, '.test.mjs')}
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const module = fileURLToPath(new URL('./${module}', import.meta.url));
const [program, args] = [${start}];

/** Runs the agent once in a process of its own, as a job does, but without a job. */
function run(payload) {
  const words = ['agents', 'test', module, '--payload', JSON.stringify(payload), '--json'];
  const { stdout, stderr } = spawnSync(program, [...args, ...words], { encoding: 'utf8' });
  assert.notEqual(stdout, '', stderr);
  return JSON.parse(stdout);
}

test('${type} counts words', () => {
  const { status, result } = run({ text: 'To be, or not to be' });
  assert.equal(status, 'completed');
  assert.deepEqual(result, { words: 6, different: 4 });
});

test('${type} says when there is nothing to count', () => {
  const { status, error } = run({ text: '1 2 3' });
  assert.equal(status, 'failed');
  assert.equal(error.code, 'no_words');
});
`;
}
