import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { lastWords } from '../../../src/cli/hook/pre-compact.js';
import { tempDir } from '../../support/temp-dir.js';
import { runCli } from '../run-cli.js';

const said = (text: string) =>
  JSON.stringify({ type: 'assistant', message: { role: 'assistant', content: [{ type: 'text', text }] } });
const toolUse = JSON.stringify({ type: 'assistant', message: { content: [{ type: 'tool_use', name: 'Read' }] } });
const answer = JSON.stringify({ type: 'user', message: { content: 'the "assistant" is right' } });

it('notes on the task in hand what the conversation said last, and leaves the claim', async () => {
  const home = tempDir();
  const env = { CLAUDE_CODE_SESSION_ID: 'c0ffee', CLAUDE_PROJECT_DIR: home };
  const call = async (tool: string, input: object) =>
    (await runCli(['tool', tool, '--input', JSON.stringify(input), '--json'], { home, env })).json();
  await call('create_task', { title: 'Write the parser' });
  await call('create_task', { title: 'Not in hand' });
  await call('claim_next_task', {});
  const transcript = join(home, 'transcript.jsonl');
  writeFileSync(
    transcript,
    [said('Old.'), said('The lexer is done, the grammar is next.'), toolUse, answer, ''].join('\n'),
  );
  const stdin = JSON.stringify({ session_id: 'c0ffee', transcript_path: transcript, trigger: 'auto' });
  const { code, stdout, stderr } = await runCli(['hook', 'pre-compact'], { home, env, stdin });
  expect([code, stdout, stderr]).toEqual([0, '', '']);

  const { notes, status } = await call('get_task', { task_id: 1 });
  expect(status).toBe('in_progress');
  expect(notes.map(({ note }: { note: string }) => note)).toEqual([
    'The conversation was compacted here. It had last said: The lexer is done, the grammar is next.',
  ]);
  const { stdout: held } = await runCli(['hook', 'session-start'], { home, env, stdin: '{"source":"compact"}' });
  expect(held).toContain('You hold task');
});

it('does nothing where there is no database, and without a transcript', async () => {
  const stdin = JSON.stringify({ session_id: 'x', transcript_path: '/not/there' });
  const { code, stdout } = await runCli(['hook', 'pre-compact'], { home: tempDir(), stdin });
  expect([code, stdout]).toEqual([0, '']);
});

it('reads the end of a long transcript, and skips what is no text of the model', () => {
  const file = join(tempDir(), 't.jsonl');
  writeFileSync(file, `${said('Far away.')}\n${`${answer}\n`.repeat(30_000)}`);
  expect(lastWords(file)).toBeUndefined();
  writeFileSync(file, `${`${answer}\n`.repeat(30_000)}${said('Near.')}\n{"type":"assistant", broken\n${toolUse}\n`);
  expect(lastWords(file)).toBe('Near.');
  expect(lastWords(join(file, 'missing'))).toBeUndefined();
});
