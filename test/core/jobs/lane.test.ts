import { expect, it } from 'vitest';
import { isBuiltIn } from '../../../src/agents/index.js';
import { laneOf, programProviders } from '../../../src/core/jobs/lane.js';
import { providers } from '../../../src/llm/providers.js';

it('calls of models share a process, and everything else has its own', () => {
  for (const type of ['llm', 'decompose', 'verify', 'relay_step']) {
    expect(isBuiltIn(type)).toBe(true);
    expect(laneOf(type, 'anthropic')).toBe('call');
  }
  for (const type of ['backtest', 'ml_experiment', 'command', 'a_module_s']) expect(laneOf(type)).toBe('process');
});

it('a call that starts a program, or is code of a module, has its own too', () => {
  expect(laneOf('llm', 'claude-code')).toBe('process');
  expect(laneOf('llm', 'module:/agents/llm.mjs')).toBe('process');
  const known = new Set(providers.map(({ id }) => id));
  expect([...programProviders].filter((id) => !known.has(id))).toEqual([]);
});
