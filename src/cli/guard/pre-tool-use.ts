import { resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { environmentWithout } from '../../base/environment.js';
import { type GuardSettings, readGuardSettings } from '../../base/guard-settings.js';
import { isObject } from '../../base/json.js';
import { livePaths, type PathWithWorker, whoHas } from '../../core/coordination/path-guard.js';
import { clockValues } from '../../core/lease.js';
import { peek } from '../../store/peek.js';
import { describeTaken } from './describe-taken.js';

/**
 * Answers the PreToolUse hook of Claude Code before an edit: refuses it, or warns, where another session has reserved the
 * file (code.claude.com/docs/en/hooks, PreToolUse). Whatever fails, the edit goes on, with a word on stderr: it is run
 * before each edit, apart from all other commands, so that little is loaded for it.
 */
export async function answerPreToolUse(): Promise<void> {
  try {
    const settings = await settingsOf(environmentWithout([]));
    if (settings.mode === 'off') return;
    const input: unknown = JSON.parse(await text(process.stdin));
    const edit = isObject(input) ? editOf(input) : undefined;
    if (!edit) return;
    const rows = await peek<PathWithWorker>(settings, livePaths, clockValues);
    const taken = whoHas(rows, edit.file, edit.holder);
    if (taken) process.stdout.write(`${JSON.stringify(answer(settings.mode, describeTaken(edit.file, taken)))}\n`);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    process.stderr.write(`agent-runtime guard: nothing was checked: ${reason}\n`);
  }
}

async function settingsOf(env: ReturnType<typeof environmentWithout>): Promise<GuardSettings> {
  const settings = readGuardSettings(env);
  if (settings) return settings;
  const { readConfig } = await import('../../config.js');
  const { guard, dbPath, dbUrl, hostId } = readConfig();
  return { mode: guard, dbPath, dbUrl, hostId };
}

const editing = new Set(['Edit', 'Write', 'MultiEdit', 'NotebookEdit']);

function editOf(input: Record<string, unknown>): { file: string; holder: string | undefined } | undefined {
  const { tool_name, tool_input, session_id, cwd } = input;
  if (typeof tool_name !== 'string' || !editing.has(tool_name) || !isObject(tool_input)) return undefined;
  const file = tool_input.file_path ?? tool_input.notebook_path;
  if (typeof file !== 'string' || file === '') return undefined;
  return {
    file: resolve(typeof cwd === 'string' ? cwd : '.', file),
    holder: typeof session_id === 'string' ? `claude:${session_id}` : undefined,
  };
}

function answer(mode: 'refuse' | 'warn', message: string): object {
  const hookEventName = 'PreToolUse';
  return mode === 'refuse'
    ? { hookSpecificOutput: { hookEventName, permissionDecision: 'deny', permissionDecisionReason: message } }
    : { systemMessage: message, hookSpecificOutput: { hookEventName, additionalContext: message } };
}
