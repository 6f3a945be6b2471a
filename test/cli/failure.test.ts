import { expect, it } from 'vitest';
import { errorCodes, RuntimeError } from '../../src/base/errors.js';
import { exitCodes, reportFailure } from '../../src/cli/failure.js';
import type { GlobalFlags } from '../../src/cli/global-flags.js';
import { recordingOutput } from './recording-output.js';

const flags: GlobalFlags = { settings: {}, isJson: false, isQuiet: false, isVerbose: false, isJsonLogs: false };

it('gives every error code an exit code, with separate ones for errors that scripts distinguish', () => {
  expect(Object.keys(exitCodes).sort()).toEqual([...errorCodes].sort());
  const others = errorCodes.filter((code) => exitCodes[code] === 1);
  expect(others).not.toContain('invalid');
  expect(exitCodes).toMatchObject({ invalid: 2, not_found: 3, conflict: 4, already_claimed: 4, stale_claim: 4 });
  expect(exitCodes.dependency_cycle).toBe(4);
});

it('says what failed and what to do on stderr, and leaves stdout alone', async () => {
  const output = recordingOutput();
  const code = await reportFailure(
    new RuntimeError('not_found', 'No task has id 12.', 'Call list_tasks.'),
    flags,
    output,
  );
  expect(code).toBe(3);
  expect(output.stderr()).toBe('error: No task has id 12.\nhint: Run `agent-runtime tasks`.\n');
  expect(output.stdout()).toBe('');
});

it('gives one JSON document on stdout when JSON is wanted', async () => {
  const output = recordingOutput();
  await reportFailure(new RuntimeError('conflict', 'Taken.'), { ...flags, isJson: true }, output);
  expect(JSON.parse(output.stdout())).toEqual({ error: { code: 'conflict', message: 'Taken.' } });
  expect(output.stderr()).toBe('');
});

it('shows the stack of a bug only with --verbose, and never a key', async () => {
  const defect = new TypeError('x is not a function, key sk-ant-abcdefghijklmnop');
  const brief = recordingOutput();
  expect(await reportFailure(defect, flags, brief)).toBe(1);
  expect(brief.stderr()).toContain('x is not a function');
  expect(brief.stderr()).toContain('runner.log');
  expect(brief.stderr()).not.toContain('    at ');
  const verbose = recordingOutput();
  await reportFailure(defect, { ...flags, isVerbose: true }, verbose);
  expect(verbose.stderr()).toContain('    at ');
  expect(brief.stderr() + verbose.stderr()).not.toContain('abcdefghijklmnop');
});

it('lets no control character of a message reach the terminal', async () => {
  const output = recordingOutput();
  await reportFailure(new RuntimeError('conflict', 'held by \u001b[2Jeve\u0007\nnext line'), flags, output);
  expect(output.stderr()).toBe('error: held by \ufffd[2Jeve\ufffd\nnext line\n');
});
