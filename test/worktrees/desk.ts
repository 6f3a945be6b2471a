import { execFileSync } from 'node:child_process';
import type { Actor } from '../../src/core/actor.js';
import { nameSession } from '../../src/core/coordination/sessions.js';
import { contextOf, runTool } from '../../src/tools/call/run-tool.js';
import { findTool } from '../../src/tools/index.js';
import { type TestRuntimeOptions, testRuntime } from '../support/test-runtime.js';
import { git } from './git-repository.js';

/** Sessions of one runtime that work in a repository. */
export async function desk(project: string, options: TestRuntimeOptions = {}) {
  const runtime = await testRuntime(options);
  const session = async (name: string, directory = project) => {
    const info = { clientSessionId: name, project: directory };
    const named = nameSession(info);
    await runtime.maintenance.beginSession(named, { ...info, clientName: name, clientVersion: '1' });
    return caller(named);
  };
  function caller(actor: Actor) {
    // biome-ignore lint/suspicious/noExplicitAny: a test says what it expects of a result by using it.
    return async (name: string, input: object = {}): Promise<any> => {
      const tool = findTool(name);
      return tool.output.parse(
        JSON.parse(JSON.stringify(await runTool(tool, input, contextOf(runtime, actor, { sessionId: 's' })))),
      );
    };
  }
  return { runtime, session, call: await session('one') };
}

export const realGit = execFileSync('/bin/sh', ['-c', 'command -v git'], { encoding: 'utf8' }).trim();

export const worktreesOf = (repository: string) => git(repository, 'worktree', 'list').split('\n').length - 1;
export const branchesOf = (repository: string) =>
  git(repository, 'branch', '--format=%(refname:short)').split('\n').sort();
