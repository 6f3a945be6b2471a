import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { build } from 'esbuild';
import { describe, expect, inject, it } from 'vitest';
import { bundling } from '../../../.config/build.mjs';
import { loadDriver } from '../../../src/store/sqlite/driver.js';
import { connectServer } from '../../support/mcp-client.js';
import { projectRoot } from '../../support/root.js';
import { tempDir } from '../../support/temp-dir.js';
import { runCli } from '../run-cli.js';

/** A repository with a commit, and a home whose git knows who commits. */
function repository() {
  const home = realpathSync(tempDir());
  const root = join(home, 'repo');
  mkdirSync(join(root, 'src'), { recursive: true });
  const env = { HOME: home, PATH: `${dirname(process.execPath)}:/usr/bin:/bin` };
  writeFileSync(join(home, '.gitconfig'), '[user]\n  name = Ada\n  email = ada@example.org\n');
  const git = (args: string[], more: Record<string, string> = {}) => {
    const { status, stdout, stderr } = spawnSync('git', ['-C', root, ...args], {
      env: { ...env, ...more },
      encoding: 'utf8',
    });
    return { status, stdout, stderr };
  };
  git(['init', '-q']);
  const write = (file: string, text = 'x') => {
    writeFileSync(join(root, file), text);
    git(['add', '-A']);
  };
  const commit = (more: Record<string, string> = {}) => git(['commit', '-qm', 'C'], more);
  const cli = (args: string[], more: Record<string, string> = {}) =>
    runCli(args, { home, cwd: root, env: { ...env, ...more } });
  const session = (id: string) =>
    connectServer({ home, env: { CLAUDE_PROJECT_DIR: root, CLAUDE_CODE_SESSION_ID: id } });
  return { home, root, env, git, write, commit, cli, session };
}

describe('the pre-commit hook', () => {
  it('refuses to commit what another session has reserved, and lets its owner and other files through', async () => {
    const { write, commit, cli, session, git } = repository();
    expect((await cli(['guard', 'install'])).code).toBe(0);
    const ada = await session('ada');
    await ada.ok('claim_worker_slot', { worker_id: 'hedy' });
    await ada.ok('reserve_paths', { globs: ['src/**'], reason: 'The parser' });
    write('readme.md');
    expect(commit()).toMatchObject({ status: 0 });
    write('src/a b.ts');
    const refused = commit({ CLAUDE_CODE_SESSION_ID: 'bob' });
    expect(refused.status).toBe(1);
    expect(refused.stderr).toMatch(
      /agent-runtime guard: src\/a b\.ts is reserved \(src\/\*\*\) by hedy until \S+, for "The parser"\./,
    );
    expect(refused.stderr).toContain('git commit --no-verify');
    expect(commit({ AGENT_RUNTIME_GUARD: 'warn' })).toMatchObject({
      status: 0,
      stderr: expect.stringContaining('is reserved'),
    });
    write('src/b.ts');
    expect(commit().status).toBe(1);
    expect(commit({ AGENT_RUNTIME_SESSION: 'claude:ada' })).toMatchObject({ status: 0, stderr: '' });
    write('src/c.ts');
    expect(commit({ CLAUDE_CODE_SESSION_ID: 'ada' })).toMatchObject({ status: 0, stderr: '' });
    git(['mv', 'src/c.ts', 'c.ts']);
    expect(commit().status).toBe(1);
    expect(commit({ AGENT_RUNTIME_GUARD: 'off' })).toMatchObject({ status: 0, stderr: '' });
    await ada.ok('release_paths', {});
    write('src/d.ts');
    expect(commit()).toMatchObject({ status: 0, stderr: '' });
  });

  it('keeps a hook that was there, which runs first, and puts it back', async () => {
    const { root, write, commit, cli } = repository();
    const hook = join(root, '.git/hooks/pre-commit');
    const own = '#!/bin/sh\necho ran >> ran.txt\ntest ! -e stop\n';
    writeFileSync(hook, own);
    chmodSync(hook, 0o755);
    for (let times = 0; times < 2; times++) expect((await cli(['guard', 'install'])).code).toBe(0);
    write('a');
    expect(commit().status).toBe(0);
    expect(readFileSync(join(root, 'ran.txt'), 'utf8')).toBe('ran\n');
    write('stop');
    expect(commit().status).toBe(1);
    expect((await cli(['guard', 'uninstall'])).code).toBe(0);
    expect(readFileSync(hook, 'utf8')).toBe(own);
    expect(existsSync(`${hook}.before-guard`)).toBe(false);
    expect((await cli(['guard', 'uninstall'])).stdout).toContain('nothing was changed');
    expect(readFileSync(hook, 'utf8')).toBe(own);
  });

  it('stands where core.hooksPath says, and in other work trees', async () => {
    const { root, home, git, write, commit, cli, session } = repository();
    git(['config', 'core.hooksPath', 'hooks']);
    await cli(['guard', 'install']);
    expect(existsSync(join(root, 'hooks/pre-commit'))).toBe(true);
    git(['config', '--unset', 'core.hooksPath']);
    await cli(['guard', 'install']);
    write('a');
    expect(commit().status).toBe(0);
    const tree = join(home, 'tree');
    git(['worktree', 'add', '-q', tree]);
    const ada = await session('ada');
    await ada.ok('reserve_paths', { globs: [join(root, 'b')] });
    for (const [where, status] of [
      [root, 1],
      [tree, 0],
    ] as const) {
      writeFileSync(join(where, 'b'), 'b');
      git(['-C', where, 'add', 'b']);
      expect([where, git(['-C', where, 'commit', '-qm', 'B']).status]).toEqual([where, status]);
    }
  });

  it('lets a commit pass, with a word, where there is no database, none that can be read, or no program', async () => {
    const { root, write, commit, cli } = repository();
    await cli(['guard', 'install']);
    write('a');
    expect(commit()).toMatchObject({ status: 0, stderr: expect.stringContaining('There is no database') });
    write('b');
    const broken = { AGENT_RUNTIME_DB_PATH: join(root, 'a') };
    expect(commit(broken)).toMatchObject({ status: 0, stderr: expect.stringContaining('nothing was checked') });
    write('d');
    expect(commit({ AGENT_RUNTIME_GUARD: 'perhaps' }).stderr).toContain('AGENT_RUNTIME_GUARD is "perhaps"');
    const hook = join(root, '.git/hooks/pre-commit');
    writeFileSync(hook, readFileSync(hook, 'utf8').replaceAll('main.js', 'gone.js'));
    write('c');
    expect(commit()).toMatchObject({ status: 0, stderr: expect.stringContaining('the program is gone') });
  });

  it('is not installed outside of a repository', async () => {
    const home = tempDir();
    const { code, stderr } = await runCli(['guard', 'install'], { home });
    expect([code, stderr]).toEqual([2, expect.stringContaining('git')]);
  });
});

/** The files of the plugin as the package has them, beside this build. */
function plugin(): string {
  const directory = tempDir();
  cpSync(join(projectRoot, 'plugin'), join(directory, 'plugin'), { recursive: true });
  symlinkSync(inject('dist'), join(directory, 'dist'));
  return directory;
}

/** Runs the command that the plugin's own file names for a hook, as Claude Code does. */
function runHook(event: string, input: object, env: Record<string, string>) {
  const root = plugin();
  const { hooks } = JSON.parse(readFileSync(join(root, 'plugin/hooks.json'), 'utf8'));
  const [{ matcher, hooks: commands }] = hooks[event];
  const { status, stdout, stderr } = spawnSync('/bin/sh', ['-c', commands[0].command], {
    env: { ...env, CLAUDE_PLUGIN_ROOT: root },
    input: JSON.stringify(input),
    encoding: 'utf8',
  });
  return { matcher, status, stdout, stderr, answer: stdout === '' ? undefined : JSON.parse(stdout) };
}

describe('the hook before an edit', () => {
  it('denies the edit of what another session has reserved, warns if told so, and says nothing otherwise', async () => {
    const { root, env, session } = repository();
    const ada = await session('ada');
    await ada.ok('reserve_paths', { globs: ['src/**', 'book.ipynb'], reason: 'The parser' });
    await ada.ok('reserve_paths', { globs: ['docs/**'], exclusive: false });
    const edit = (session_id: string, file: string, more: Record<string, string> = {}, tool_name = 'Edit') => {
      const key = tool_name === 'NotebookEdit' ? 'notebook_path' : 'file_path';
      const input = { session_id, cwd: root, hook_event_name: 'PreToolUse', tool_name, tool_input: { [key]: file } };
      const end = runHook('PreToolUse', input, { ...env, ...more });
      expect([end.status, end.stderr]).toEqual([0, '']);
      expect(end.matcher.split('|')).toContain('Edit');
      return end.answer;
    };
    const file = join(root, 'src/new/a.ts');
    expect(edit('bob', file)).toEqual({
      hookSpecificOutput: {
        hookEventName: 'PreToolUse',
        permissionDecision: 'deny',
        permissionDecisionReason: expect.stringMatching(
          /src\/new\/a\.ts is reserved \(src\/\*\*\) by claude:ada until/,
        ),
      },
    });
    for (const tool of ['Write', 'MultiEdit']) expect(edit('bob', file, {}, tool)).toBeDefined();
    expect(edit('bob', join(root, 'book.ipynb'), {}, 'NotebookEdit')).toBeDefined();
    expect(edit('bob', file, {}, 'Read')).toBeUndefined();
    expect(edit('ada', file)).toBeUndefined();
    expect(edit('bob', join(root, 'docs/a.md'))).toBeUndefined();
    expect(edit('bob', join(dirname(root), 'src/a.ts'))).toBeUndefined();
    expect(edit('bob', file, { AGENT_RUNTIME_GUARD: 'off' })).toBeUndefined();
    expect(edit('bob', file, { AGENT_RUNTIME_GUARD: 'warn' })).toEqual({
      systemMessage: expect.stringContaining('is reserved'),
      hookSpecificOutput: { hookEventName: 'PreToolUse', additionalContext: expect.stringContaining('is reserved') },
    });
    const config = join(root, 'config.json');
    writeFileSync(config, '{ /* as a person writes it */ "guard": "warn", }');
    expect(edit('bob', file, { AGENT_RUNTIME_CONFIG: config })).toHaveProperty('systemMessage');
  });

  it('lets an edit pass, with a word, when it cannot check: no database, a damaged one, odd input', () => {
    const { root, home, env } = repository();
    const input = { session_id: 'bob', tool_name: 'Edit', tool_input: { file_path: join(root, 'a') } };
    const none = runHook('PreToolUse', input, env);
    expect(none).toMatchObject({ status: 0, stdout: '', stderr: expect.stringContaining('There is no database') });
    expect(readdirSync(home).toSorted()).toEqual(['.gitconfig', 'repo']);
    const odd = join(home, 'odd.db');
    writeFileSync(odd, 'not a database'.repeat(100));
    for (const [given, more] of [
      [input, { AGENT_RUNTIME_DB_PATH: odd }],
      [{}, {}],
      [[], { AGENT_RUNTIME_GUARD: 'perhaps' }],
    ] as const) {
      expect(runHook('PreToolUse', given, { ...env, ...more })).toMatchObject({ status: 0, stdout: '' });
    }
  });

  it('is not held up by a writer, and lets the edit pass, with a word, where the file is locked', async () => {
    const { root, home, env, cli } = repository();
    const own = { CLAUDE_PROJECT_DIR: root, CLAUDE_CODE_SESSION_ID: 'ada' };
    await cli(['tool', 'reserve_paths', '--input', '{"globs": ["a"], "lease_seconds": 3600}'], own);
    const input = { session_id: 'bob', tool_name: 'Edit', tool_input: { file_path: join(root, 'a') } };
    const { connect } = await loadDriver();
    const other = connect(join(home, '.claude/agent_runtime.db'));
    other.exec('begin immediate; delete from path_reservations');
    const { answer } = runHook('PreToolUse', input, env);
    expect(answer.hookSpecificOutput.permissionDecision).toBe('deny');
    other.exec('rollback; pragma locking_mode = exclusive; begin exclusive; delete from path_reservations');
    const end = runHook('PreToolUse', input, env);
    expect(end).toMatchObject({ status: 0, stdout: '', stderr: expect.stringContaining('nothing was checked') });
    other.close();
  });

  it('starts npx, where the plugin came without its package, only if there may be a reservation', async () => {
    const { home, env, cli } = repository();
    const started = join(home, 'started');
    mkdirSync(join(home, 'bin'));
    writeFileSync(join(home, 'bin/npx'), `#!/bin/sh\necho "$@" >> ${started}\nexit 3\n`, { mode: 0o755 });
    const run = (event: string, more: Record<string, string> = {}) =>
      spawnSync(process.execPath, [join(alone, 'run-hook.mjs'), event], {
        env: { ...env, PATH: `${join(home, 'bin')}:${env.PATH}`, ...more },
        input: '{}',
      }).status;
    const alone = join(tempDir(), 'plugin');
    cpSync(join(projectRoot, 'plugin'), alone, { recursive: true });
    expect(run('pre-tool-use')).toBe(0);
    expect(existsSync(started)).toBe(false);
    await cli(['tool', 'create_task', '--arg', 'title=T']);
    expect(run('pre-tool-use', { AGENT_RUNTIME_GUARD: 'off' })).toBe(0);
    expect(existsSync(started)).toBe(false);
    expect(run('pre-tool-use')).toBe(0);
    expect(readFileSync(started, 'utf8')).toBe('-y agent-runtime-mcp hook pre-tool-use\n');
    expect(run('session-start')).toBe(1);
  });

  it('loads little, as it is run before each edit', async () => {
    const { metafile } = await build({
      ...bundling,
      entryPoints: [join(projectRoot, 'src/cli/guard/pre-tool-use.ts')],
      outdir: 'out',
      write: false,
      metafile: true,
    });
    const bytesOf = (name: string, seen = new Set<string>()): number => {
      const output = metafile.outputs[name];
      if (!output || seen.has(name)) return 0;
      seen.add(name);
      const imported = output.imports.filter(({ kind }) => kind === 'import-statement');
      return imported.reduce((sum, { path }) => sum + bytesOf(path, seen), output.bytes);
    };
    const bytes = bytesOf('out/pre-tool-use.js');
    expect(bytes).toBeGreaterThan(10_000);
    expect(bytes).toBeLessThan(60_000);
  });
});
