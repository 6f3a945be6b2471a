import { describe, expect, it } from 'vitest';
import { submitJob } from '../../../src/services/submit-job.js';
import { type Background, background, session } from '../../runner/fixtures/background.js';
import { homeWithModules, writeModule } from './workshop.js';

/** With what Node's own stripping of types refuses: an enum, a parameter property, an import of a type without saying so. */
const typed = `
  import { type Agent, AgentContext, AgentError, defineAgent } from 'agent-runtime-mcp';
  import { z } from 'zod';
  import { shout, type Shouted } from './shout.js';

  enum Mood { Calm = 'calm', Loud = 'loud' }

  class Speaker {
    constructor(private readonly mood: Mood) {}
    say(text: string): Shouted { return this.mood === Mood.Loud ? shout(text) : { text }; }
  }

  async function explode(context: AgentContext): Promise<never> {
    context.log('info', 'about to explode');
    throw new RangeError('out of bounds');
  }

  const payload = z.object({ text: z.string(), loud: z.boolean().default(false), bang: z.boolean().default(false) });
  const agent: Agent<typeof payload> = {
    type: 'speak',
    description: 'Says a text.',
    payload,
    async execute(job, context) {
      if (job.payload.bang) await explode(context);
      return new Speaker(job.payload.loud ? Mood.Loud : Mood.Calm).say(job.payload.text) as object;
    },
  };
  export default defineAgent(agent);`;

const shout = `
  export interface Shouted { text: string }
  export const shout = (text: string): Shouted => ({ text: text.toUpperCase() });`;

async function run(runtime: Background, payload: Record<string, string | boolean>) {
  const { job } = await submitJob({ type: 'speak', payload }, session, runtime);
  return runtime.ended(job.id);
}

describe('a module in TypeScript', () => {
  it('runs as it is, with the other files that it imports as a compiler would name them', async () => {
    const home = homeWithModules({ 'speak.ts': typed });
    writeModule(home, 'shout.ts', shout);
    const runtime = await background({ home });
    expect(await run(runtime, { text: 'hello', loud: true })).toMatchObject({
      status: 'completed',
      result: { text: 'HELLO' },
    });
  });

  it('that throws has a stack in its log with the lines that its author wrote', async () => {
    const home = homeWithModules({ 'speak.ts': typed });
    writeModule(home, 'shout.ts', shout);
    const runtime = await background({ home });
    const job = await run(runtime, { text: '', bang: true });
    expect(job).toMatchObject({ status: 'failed', errorCode: 'internal', errorMessage: 'RangeError: out of bounds' });
    const line = (text: string) => typed.split('\n').findIndex((one) => one.includes(text)) + 1;
    const [entry] = (await runtime.jobs.logs(job.id, 5)).filter(({ level }) => level === 'error');
    expect(entry?.message).toBe('RangeError: out of bounds');
    const { stack } = JSON.parse(entry?.fields ?? '{}') as { stack: string };
    const frames = stack.split('\n').slice(1);
    expect(frames[0]).toMatch(
      new RegExp(`^    at explode \\(.*/\\.claude/speak\\.ts:${line('throw new Range')}:\\d+\\)$`),
    );
    expect(frames[1]).toMatch(new RegExp(`/\\.claude/speak\\.ts:${line('await explode')}:\\d+\\)$`));
    expect(frames).toHaveLength(2);
  });

  it('that is not TypeScript is refused with the place', async () => {
    const home = homeWithModules({ 'speak.ts': 'export const a: = 1;\nexport default {};' });
    const runtime = await background({ home });
    const { problems } = await runtime.agents.describe();
    expect(problems).toEqual([
      {
        module: expect.stringContaining('speak.ts'),
        reason: expect.stringMatching(/cannot be loaded: SyntaxError: .*speak\.ts:1:17/),
      },
    ]);
  });
});
