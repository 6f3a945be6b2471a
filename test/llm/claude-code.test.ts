import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ClaudeCodeRun, createClaudeCode, detectClaudeCode } from '../../src/llm/claude-code.js';
import { eventually } from '../support/eventually.js';
import { ask, failureOf, newRequest } from './ask.js';

const command = fileURLToPath(new URL('../fixtures/models/fake-claude.mjs', import.meta.url));
const env = {
  ...process.env,
  ANTHROPIC_API_KEY: 'sk-ant-must-not-get-through',
  CLAUDECODE: '1',
  MY_TOKEN: 'mine-0001',
};

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'claude-code-'));
});
afterAll(() => rm(directory, { recursive: true }));

const connect = (settings: Partial<ClaudeCodeRun> = {}) => createClaudeCode({ command, env, ...settings });

interface Recorded {
  argv: string[];
  env: Record<string, string>;
  cwd: string;
  prompt: string;
  pid: number;
  childPid?: number;
}
const recordPath = () => join(directory, `${Math.random()}.json`);
const readRecord = async (path: string) => JSON.parse(await readFile(path, 'utf8')) as Recorded;

async function recordCall(settings: Partial<ClaudeCodeRun>, overrides: Parameters<typeof ask>[1] = {}) {
  const path = recordPath();
  const answer = await ask(connect(settings), { model: 'sonnet', prompt: `Hello [[record ${path}]]`, ...overrides });
  return { answer, ...(await readRecord(path)) };
}

describe('what it runs', () => {
  it('has no tools, no MCP servers, no session, and gets the prompt over stdin', async () => {
    const { argv, prompt, cwd, answer } = await recordCall({});
    expect(argv).toEqual([
      ...['-p', '--output-format', 'json', '--model', 'sonnet', '--strict-mcp-config', '--tools', ''],
      ...['--no-session-persistence', '--permission-mode', 'dontAsk'],
    ]);
    expect(argv.join(' ')).not.toContain('Hello');
    expect(prompt).toContain('Hello');
    expect(cwd).toBe(homedir());
    expect(answer.warnings).toEqual([]);
  });

  it('gets the tools, the place and the budget that the settings grant, and nothing more', async () => {
    const { argv, cwd } = await recordCall(
      { allowedTools: ['Read', 'Bash(git log *)', 'Bash(git diff *)'], workingDirectory: directory, maxBudgetUsd: 0.5 },
      { system: 'Be brief.' },
    );
    expect(argv).toEqual([
      ...['-p', '--output-format', 'json', '--model', 'sonnet', '--strict-mcp-config', '--tools', 'Read,Bash'],
      ...['--allowedTools', 'Read,Bash(git log *),Bash(git diff *)'],
      ...['--no-session-persistence', '--permission-mode', 'dontAsk'],
      ...['--system-prompt', 'Be brief.', '--max-budget-usd', '0.5'],
    ]);
    expect(cwd).toBe(directory);
  });

  it('keeps its session where the call wants one, and goes on with one of its own', async () => {
    const history = [{ prompt: 'Hi', answer: 'Hello.' }];
    const kept = await recordCall({}, { history, session: { isKept: true, resume: 'mine' } });
    expect(kept.argv.slice(-5)).toEqual(['--resume', 'mine', '--fork-session', '--permission-mode', 'dontAsk']);
    expect(kept.prompt).not.toContain('Hi');
    expect(kept.answer.sessionId).toBe('a6f0f3c5-0000-4000-8000-000000000000');
  });

  it('is told the conversation as text where the session is gone, or was that of another model', async () => {
    const history = [{ prompt: 'Hi', answer: 'Hello.' }];
    const gone = await recordCall({}, { history, session: { isKept: true, resume: 'gone-1' } });
    expect(gone.argv).not.toContain('--resume');
    expect(gone.prompt).toMatch(/User:\nHi\n\nYou:\nHello\.\n\nUser:\nHello \[\[record/);
    expect(gone.answer.warnings).toEqual([expect.stringMatching(/session of Claude Code was gone/)]);
    const other = await recordCall({}, { history });
    expect(other.prompt).toContain('You:\nHello.');
    expect(other.answer.sessionId).toBeUndefined();
  });

  it('works where the call says, and says that it has no tools for that', async () => {
    const place = await mkdtemp(join(directory, 'place-'));
    const { cwd, answer } = await recordCall({ workingDirectory: directory }, { workingDirectory: place });
    expect(cwd).toBe(place);
    expect(answer.warnings).toEqual([expect.stringMatching(/no tools.*allowedTools/)]);
    const able = await recordCall({ allowedTools: ['Edit'] }, { workingDirectory: place });
    expect(able.answer.warnings).toEqual([]);
  });

  it('gets a schema without its $schema, and the object it fills is the answer', async () => {
    const json_schema = { $schema: 'https://json-schema.org/draft/2020-12/schema', type: 'object' };
    const { argv, answer } = await recordCall({}, { params: { json_schema } });
    expect(argv.slice(-2)).toEqual(['--json-schema', '{"type":"object"}']);
    expect(answer.text).toBe('{"isFake":true}');
  });

  it('sees an allowlist of the environment, and no key', async () => {
    const { argv, env: seen } = await recordCall({ passEnv: ['MY_TOKEN'] });
    expect(seen).toMatchObject({ AGENT_RUNTIME_DEPTH: '1', CLAUDE_CODE_MAX_RETRIES: '1', PATH: process.env.PATH });
    expect(seen).toMatchObject({ MY_TOKEN: 'mine-0001' });
    for (const name of ['ANTHROPIC_API_KEY', 'CLAUDECODE', 'VITEST', 'NODE_ENV']) expect(seen).not.toHaveProperty(name);
    expect(`${argv} ${JSON.stringify(seen)}`).not.toContain('sk-ant');
  });

  it('is not started by a runtime that an agent started', async () => {
    const path = recordPath();
    const error = await failureOf(ask(connect({ depth: 1 }), { prompt: `[[record ${path}]]` }));
    expect(error).toMatchObject({ failure: 'not_configured', isTransient: false });
    expect(error.message).toContain('AGENT_RUNTIME_DEPTH');
    await expect(readRecord(path)).rejects.toThrow('ENOENT');
  });
});

it('keeps to the lower of its own limit and what the budget has left', async () => {
  const limits = async (maxBudgetUsd: number | undefined, maxCostUsd: number | undefined) => {
    const path = join(directory, 'limits.json');
    await connect({ maxBudgetUsd }).complete(newRequest({ prompt: `[[record ${path}]]`, maxCostUsd }));
    const { argv } = JSON.parse(await readFile(path, 'utf8')) as { argv: string[] };
    return argv.includes('--max-budget-usd') ? argv[argv.indexOf('--max-budget-usd') + 1] : undefined;
  };
  expect(await limits(0.5, 0.2)).toBe('0.2');
  expect(await limits(0.1, 0.2)).toBe('0.1');
  expect(await limits(undefined, 0.2)).toBe('0.2');
  expect(await limits(undefined, undefined)).toBeUndefined();
});

describe('what it makes of the output', () => {
  it('answers in one piece, with all tokens that were read', async () => {
    const request = newRequest({ model: 'sonnet', prompt: 'Grüße 🌍'.repeat(20_000) });
    const answer = await connect().complete(request);
    expect(answer).toEqual({
      text: `You said: ${request.prompt}`,
      model: 'claude-sonnet-5-5',
      stopReason: 'end_turn',
      usage: { inputTokens: 1104, outputTokens: 7, costUsd: expect.any(Number) },
      warnings: [],
    });
    expect(request.pieces).toEqual([answer.text]);
  });

  it.each([
    ['api-error 401', 'auth', 401, 'log in with /login'],
    ['api-error 404', 'not_found', 404, 'no model test-model'],
    ['api-error 429', 'rate_limited', 429, 'limit'],
    ['api-error 529', 'overloaded', 529, 'Try again later'],
    ['login', 'auth', undefined, 'log in with /login'],
    ['limit', 'rate_limited', undefined, 'limit of its plan'],
    ['budget', 'exhausted', undefined, 'maxBudgetUsd'],
  ])('%s is a failure (%s) although a result was printed', async (mode, failure, status, words) => {
    const error = await failureOf(ask(connect(), { prompt: `[[claude ${mode}]]` }));
    expect(error).toMatchObject({ failure, status, usage: { inputTokens: 1104, outputTokens: 7 } });
    expect(error.message).toContain(words);
    expect(error.detail).toBeTruthy();
    expect(error.detail).not.toContain('sk-ant');
  });

  it('exit 0 with empty stdout is a failure', async () => {
    const error = await failureOf(ask(connect(), { prompt: '[[claude empty]]' }));
    expect(error).toMatchObject({ failure: 'invalid_output', isTransient: true, status: 0 });
    expect(error.message).toContain('without any output (exit 0)');
  });

  it('exit 0 with output that is no result is a failure', async () => {
    const error = await failureOf(ask(connect(), { prompt: '[[claude garbage]]' }));
    expect(error).toMatchObject({ failure: 'invalid_output', detail: 'Welcome to Claude Code!' });
  });

  it('exit 1 with words on stderr only is not worth a retry', async () => {
    const error = await failureOf(ask(connect(), { prompt: '[[claude bad-flag]]' }));
    expect(error).toMatchObject({ failure: 'invalid_request', status: 1, isTransient: false });
    expect(error.detail).toContain('unknown option');
  });

  it('an end from outside is worth a retry', async () => {
    const error = await failureOf(ask(connect(), { prompt: '[[claude killed]]' }));
    expect(error).toMatchObject({ failure: 'overloaded', isTransient: true });
    expect(error.message).toContain('SIGKILL');
  });

  it('finds the result at the end of a list', async () => {
    expect((await ask(connect(), { prompt: '[[claude verbose]]' })).text).toBe('The last of a list.');
  });

  it('says which tools were denied, and which parameters were left out', async () => {
    const answer = await ask(connect(), { prompt: '[[claude denied]]', params: { temperature: 0, max_tokens: 5 } });
    expect(answer.warnings).toEqual([
      'Claude Code does not take max_tokens, so it was left out.',
      'Claude Code does not take temperature, so it was left out.',
      'Claude Code was not allowed to use Bash: grant it in allowedTools if it should.',
    ]);
  });

  it('ends what the CLI leaves behind with its output open', async () => {
    const path = recordPath();
    const answer = await ask(connect(), { prompt: `[[claude orphan]] [[record ${path}]]` });
    expect(answer.text).toBe('Not quite alone.');
    const { childPid } = await readRecord(path);
    await eventually('its child has ended', async () => !(await isRunning(childPid)));
  });

  it('does not wait for a child of the CLI that it cannot end', async () => {
    const path = recordPath();
    const answer = await ask(connect(), { prompt: `[[claude escaped]] [[record ${path}]]` });
    expect(answer.text).toBe('Not quite alone.');
    const { childPid = 0 } = await readRecord(path);
    expect(await isRunning(childPid)).toBe(true);
    process.kill(-childPid, 'SIGKILL');
  });

  it('survives a CLI that ends without reading its prompt', async () => {
    const error = await failureOf(ask(connect({ command: '/bin/true' }), { prompt: 'x'.repeat(1_000_000) }));
    expect(error).toMatchObject({ failure: 'invalid_output', status: 0 });
  });
});

describe('how it ends', () => {
  it('is not started when the call is cancelled already', async () => {
    const error = await failureOf(ask(connect({ command: '/nowhere' }), { signal: AbortSignal.abort() }));
    expect(error.failure).toBe('cancelled');
  });

  it('ends on SIGTERM when the call is cancelled', async () => {
    const path = recordPath();
    const controller = new AbortController();
    const prompt = `[[claude slow]] [[record ${path}]]`;
    const call = failureOf(ask(connect(), { prompt, signal: controller.signal }));
    const { pid } = await eventually('it runs', () => readRecord(path).catch(() => undefined));
    controller.abort();
    expect(await call).toMatchObject({ failure: 'cancelled', isTransient: false });
    expect(await isRunning(pid)).toBe(false);
  });

  it.each([
    ['ignores SIGTERM', 'stubborn'],
    ['obeys SIGTERM while its child does not', 'careless'],
  ])('a CLI that %s leaves none of its children behind', async (_, mode) => {
    const path = recordPath();
    const controller = new AbortController();
    const prompt = `[[claude ${mode}]] [[record ${path}]]`;
    const call = failureOf(ask(connect({ graceMs: 150 }), { prompt, signal: controller.signal }));
    const { pid, childPid } = await eventually('it runs', () => readRecord(path).catch(() => undefined));
    expect(await isRunning(childPid)).toBe(true);
    controller.abort();
    expect(await call).toMatchObject({ failure: 'cancelled' });
    expect(await isRunning(pid)).toBe(false);
    // SIGKILL was sent; when the system gets to it is its own affair.
    await eventually('its child has ended', async () => !(await isRunning(childPid)));
  });

  it('a call that takes too long is a timeout', async () => {
    const error = await failureOf(ask(connect({ timeoutMs: 300 }), { prompt: '[[claude slow]]' }));
    expect(error).toMatchObject({ failure: 'timeout', isTransient: true });
    expect(error.message).toContain('longer than 0.3 s');
  });

  it('is ended when its output goes on without end', async () => {
    const path = recordPath();
    const error = await failureOf(ask(connect(), { prompt: `[[claude endless]] [[record ${path}]]` }));
    expect(error).toMatchObject({ failure: 'invalid_output', isTransient: true });
    expect(error.message).toContain('was cut after 32.0 MB');
    expect(await isRunning((await readRecord(path)).pid)).toBe(false);
  });
});

describe('what cannot be started', () => {
  it('names a command that is missing', async () => {
    const error = await failureOf(ask(connect({ command: 'claude-that-is-not-there' })));
    expect(error).toMatchObject({ failure: 'not_configured', isTransient: false });
    expect(error.message).toContain('no command claude-that-is-not-there');
  });

  it('names a working directory that is missing, which the system reports alike', async () => {
    const error = await failureOf(ask(connect({ workingDirectory: '/nowhere/at/all' })));
    expect(error.message).toContain('/nowhere/at/all does not exist');
  });

  it('names a file that may not be executed', async () => {
    const file = join(directory, 'not-executable');
    await writeFile(file, '', { mode: 0o600 });
    const error = await failureOf(ask(connect({ command: file })));
    expect(error).toMatchObject({ failure: 'not_configured' });
    expect(error.message).toContain('EACCES');
  });

  it('says that a system prompt is too long for an argument list', async () => {
    const error = await failureOf(ask(connect(), { system: 'x'.repeat(200_000) }));
    expect(error).toMatchObject({ failure: 'invalid_request', isTransient: false });
  });
});

describe('detectClaudeCode', () => {
  it('finds the version', async () => {
    expect(await detectClaudeCode(command, process.env)).toBe('2.1.328');
  });

  it.each(['claude-that-is-not-there', '/bin/false', '/bin/true'])('finds none in %s', async (other) => {
    expect(await detectClaudeCode(other, process.env)).toBeUndefined();
  });
});

/** A process that has ended but was not yet reaped still answers to signal 0, so its state decides. */
async function isRunning(pid: number | undefined): Promise<boolean> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
    return !/^[ZX]/.test(stat.slice(stat.lastIndexOf(')') + 2));
  } catch {
    return false;
  }
}
