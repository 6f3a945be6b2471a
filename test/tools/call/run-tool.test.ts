import { expect, it } from 'vitest';
import { z } from 'zod';
import { type AnyTool, defineTool } from '../../../src/tools/call/define-tool.js';
import { contextOf, runTool } from '../../../src/tools/call/run-tool.js';
import { testRuntime } from '../../support/test-runtime.js';

const nobody = { holder: null, project: '' };

const echo: AnyTool = defineTool({
  name: 'echo',
  title: 'Echo',
  effect: 'read',
  description: 'Says what it was told.',
  input: z.strictObject({ text: z.string(), mood: z.enum(['calm', 'cross']).default('calm') }),
  output: z.object({ said: z.string() }),
  handler: async ({ text, mood }) => {
    if (mood === 'cross') throw new TypeError('a defect');
    return { said: text };
  },
});

async function countsOf(runtime: Awaited<ReturnType<typeof testRuntime>>): Promise<string[]> {
  await runtime.metrics.flush();
  const lines = (await runtime.metrics.prometheus()).split('\n');
  return lines.filter((line) => line.startsWith('agent_runtime_tool_calls_total{tool="echo"'));
}

it('a call is checked, run and counted by how it ended, also when its arguments are wrong', async () => {
  const runtime = await testRuntime();
  const context = contextOf(runtime, nobody);
  expect(await runTool(echo, { text: 'hi', mood: 'CALM' }, context)).toEqual({ said: 'hi' });
  await expect(runTool(echo, { txt: 'hi' }, context)).rejects.toMatchObject({ code: 'invalid' });
  await expect(runTool(echo, { text: '', mood: 'cross' }, context)).rejects.toThrow(TypeError);
  expect(await countsOf(runtime)).toEqual([
    'agent_runtime_tool_calls_total{tool="echo",status="internal"} 1',
    'agent_runtime_tool_calls_total{tool="echo",status="invalid"} 1',
    'agent_runtime_tool_calls_total{tool="echo",status="ok"} 1',
  ]);
});

it('a call that is not to be counted runs all the same', async () => {
  const runtime = await testRuntime();
  const options = { isCounted: false };
  expect(await runTool(echo, { text: 'hi' }, contextOf(runtime, nobody), options)).toEqual({ said: 'hi' });
  expect(await countsOf(runtime)).toEqual([]);
});
