import { execFile, spawn } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it, onTestFinished } from 'vitest';
import { runCli } from '../cli/run-cli.js';
import { startAnthropicServer } from '../fixtures/models/anthropic-server.js';
import { startResponsesServer } from '../fixtures/models/responses-server.js';
import { type CliId, findCli } from '../support/client-clis.js';
import { connectServer } from '../support/mcp-client.js';
import { mainEntry, projectRoot } from '../support/paths.js';
import { tempDir } from '../support/temp-dir.js';

const run = promisify(execFile);

/** A home in which `npx -y agent-runtime-mcp` starts this build, as it would start the package. */
function machine(clis: Partial<Record<string, string>> = {}) {
  const home = tempDir();
  const project = join(home, 'project');
  const bin = join(home, 'bin');
  mkdirSync(project);
  mkdirSync(bin);
  const put = (name: string, line: string) => {
    writeFileSync(join(bin, name), `#!/bin/sh\nexec ${line}\n`);
    chmodSync(join(bin, name), 0o755);
  };
  put('npx', `"${process.execPath}" "${mainEntry}"`);
  for (const [name, program] of Object.entries(clis)) put(name, `"${program}" "$@"`);
  const env = {
    HOME: home,
    PATH: `${bin}:${dirname(process.execPath)}:/usr/bin:/bin`,
    CI: '1',
    NO_COLOR: '1',
    A_KEY: 'none',
  };
  return {
    home,
    project,
    env,
    /** What a program prints; both streams, as clients differ in which they use. */
    async ask(program: string, ...args: string[]) {
      const ended = run(program, args, { cwd: project, env, timeout: 250_000 });
      ended.child.stdin?.end();
      const { stdout, stderr } = await ended;
      return stdout + stderr;
    },
    install: (client: CliId, ...more: string[]) =>
      runCli(['install', '--client', client, '--write', ...more], { home, cwd: project, env: { ...env } }),
  };
}

/** One client after the other: each takes several processors for a few seconds. */
describe.sequential('real clients start the server from what install has written', () => {
  const claude = findCli('claude-code');
  const codex = findCli('codex');
  const gemini = findCli('gemini-cli');
  const opencode = findCli('opencode');

  it.runIf(claude)('Claude Code, for its user and for a project', async () => {
    const { install, ask, project } = machine({ claude: claude ?? '' });
    expect((await install('claude-code', '--scope', 'user')).stdout).toContain(
      "Added agent-runtime to Claude Code's user",
    );
    expect((await install('claude-code', '--scope', 'user')).stdout).toContain('nothing was changed');
    expect(await ask(claude ?? '', 'mcp', 'list')).toMatch(/agent-runtime: npx .*Connected/);
    const updated = await install('claude-code', '--scope', 'user', '--env', 'AGENT_RUNTIME_TOOLSETS=core');
    expect(updated.stdout).toContain('Updated agent-runtime');
    expect(await ask(claude ?? '', 'mcp', 'get', 'agent-runtime')).toContain('AGENT_RUNTIME_TOOLSETS=core');
    await install('claude-code');
    expect(readFileSync(join(project, '.mcp.json'), 'utf8')).toContain('agent-runtime-mcp');
  });

  it.runIf(claude)('Claude Code no longer has it after uninstall', async () => {
    const { install, ask, home, project, env } = machine({ claude: claude ?? '' });
    await install('claude-code', '--scope', 'user');
    await install('claude-code');
    const { clients } = (await runCli(['uninstall', '--all', '--json'], { home, cwd: project, env })).json();
    expect(clients.map(({ scope }: { scope: string }) => scope)).toEqual(['user', 'project']);
    expect(await ask(claude ?? '', 'mcp', 'list')).not.toContain('agent-runtime');
  });

  it.runIf(gemini)('Gemini CLI', async () => {
    const { install, ask, home, project } = machine();
    mkdirSync(join(home, '.gemini'));
    writeFileSync(join(home, '.gemini/trustedFolders.json'), JSON.stringify({ [project]: 'TRUST_FOLDER' }));
    await install('gemini-cli');
    expect(await ask(process.execPath, gemini ?? '', 'mcp', 'list')).toMatch(/agent-runtime: npx .*Connected/);
  });

  it.runIf(opencode)('opencode', async () => {
    const { install, ask } = machine();
    await install('opencode');
    expect(await ask(opencode ?? '', 'mcp', 'list')).toMatch(/agent-runtime\s+.*connected/);
  });

  it.runIf(codex)('Codex, which gets a minute for the start, and variables by their names', async () => {
    const { install, ask } = machine();
    await install('codex', '--env', 'GOOGLE_API_KEY', '--env', 'A=1');
    const [server] = JSON.parse((await ask(codex ?? '', 'mcp', 'list', '--json')).replace(/WARNING: .*/g, ''));
    expect(server).toMatchObject({
      name: 'agent-runtime',
      enabled: true,
      startup_timeout_sec: 60,
      transport: { command: 'npx', env: { A: '1' }, env_vars: ['GOOGLE_API_KEY'] },
    });

    // It starts servers only for a conversation.
    const { url, requests } = await startResponsesServer();
    const provider = `{name = "local", base_url = "${url}", env_key = "A_KEY", wire_api = "responses"}`;
    const settings = ['model="m"', 'model_provider="local"', `model_providers.local=${provider}`];
    const flags = settings.flatMap((setting) => ['-c', setting]);
    expect(await ask(codex ?? '', 'exec', '--skip-git-repo-check', ...flags, 'Hi.')).toContain('done');
    expect(requests.join()).toContain('claim_next_task');
  });
});

describe.sequential('the plugin', () => {
  const claude = findCli('claude-code');

  /** The files of the plugin as the package has them, with this build. */
  function packagedPlugin(): string {
    const directory = join(tempDir(), 'package');
    const { files } = JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8'));
    for (const name of ['package.json', 'README.md', 'LICENSE', ...files]) {
      const from = name === 'dist' ? dirname(mainEntry) : join(projectRoot, name);
      cpSync(from, join(directory, name), { recursive: true });
    }
    return directory;
  }

  it.runIf(claude)('passes the strict checks of Claude Code, its marketplace too', async () => {
    const { ask } = machine();
    const validate = ['plugin', 'validate', '--strict', '--json'];
    for (const args of [
      ['--profile', 'directory', packagedPlugin()],
      [join(projectRoot, '.claude-plugin/marketplace.json')],
    ]) {
      const report = JSON.parse(await ask(claude ?? '', ...validate, ...args));
      expect(report, JSON.stringify(report)).toMatchObject({ success: true });
    }
  });

  it.runIf(claude)('connects its server, and tells a conversation what it holds', async () => {
    const { ask, home, project, env } = machine();
    const plugin = packagedPlugin();
    await ask(claude ?? '', 'plugin', 'marketplace', 'add', plugin);
    await ask(claude ?? '', 'plugin', 'install', 'agent-runtime@agent-runtime-mcp');
    expect(await ask(claude ?? '', 'mcp', 'list')).toMatch(/plugin:agent-runtime:runtime: npx .*Connected/);

    const conversation = '11111111-2222-4333-8444-555555555555';
    const own = { ...env, CLAUDE_CODE_SESSION_ID: conversation, CLAUDE_PROJECT_DIR: project };
    await runCli(['tool', 'create_task', '--arg', 'title=Write the parser'], { home, env: own });
    await runCli(['tool', 'claim_next_task'], { home, env: own });
    const provider = await startAnthropicServer();
    onTestFinished(() => provider.close());
    const session = spawn(claude ?? '', ['-p', '--session-id', conversation, 'Go on.'], {
      cwd: project,
      env: { ...env, ANTHROPIC_API_KEY: 'sk-ant-hook-0123456789', ANTHROPIC_BASE_URL: provider.url },
      stdio: 'ignore',
    });
    onTestFinished(() => void session.kill('SIGKILL'));
    await new Promise((resolve) => session.on('close', resolve));
    const said = provider.requests.map((request) => JSON.stringify(request)).join();
    expect(said).toContain('You hold task 1');
    expect(said).toContain('claim_token 1');
  });

  it('answers hooks by the package that it is part of', async () => {
    const home = tempDir();
    const env = { HOME: home, PATH: '/usr/bin:/bin', CLAUDE_CODE_SESSION_ID: 'c', CLAUDE_PROJECT_DIR: home };
    await runCli(['tool', 'create_task', '--arg', 'title=T'], { home, env });
    await runCli(['tool', 'claim_next_task'], { home, env });
    const hook = join(packagedPlugin(), 'plugin/run-hook.mjs');
    const ended = run(process.execPath, [hook, 'session-start'], { env, cwd: home });
    ended.child.stdin?.end('{"source":"startup"}');
    const { stdout } = await ended;
    expect(stdout).toContain('You hold task 1');
  });
});

describe.sequential('the MCP bundle', () => {
  const mcpb = findCli('mcpb');

  it.runIf(mcpb)('is valid, and starts the server by its manifest', async () => {
    const { manifest } = await import(join(projectRoot, '.config/bundle.mjs'));
    const directory = tempDir();
    cpSync(dirname(mainEntry), join(directory, 'dist'), { recursive: true });
    cpSync(join(projectRoot, '.claude-plugin/icon.png'), join(directory, 'icon.png'));
    writeFileSync(join(directory, 'package.json'), '{"type": "module"}');
    writeFileSync(join(directory, 'manifest.json'), JSON.stringify(manifest()));
    const validated = await run(process.execPath, [mcpb ?? '', 'validate', join(directory, 'manifest.json')]);
    expect(validated.stdout).toContain('Manifest schema validation passes');

    // As an app starts it whose user has set nothing.
    const { command, args, env } = manifest().server.mcp_config;
    const { user_config: config } = manifest();
    const fill = (text: string) =>
      text
        .replace(/\$\{user_config\.(\w+)\}/g, (_, name) => config[name].default)
        .replace(/\$\{__dirname\}/g, directory);
    const server = await connectServer({
      home: tempDir(),
      command: command === 'node' ? process.execPath : command,
      args: args.map(fill),
      env: Object.fromEntries(Object.entries<string>(env).map(([name, text]) => [name, fill(text)])),
    });
    expect((await server.ok('runtime_status')).models.configured).toEqual([]);
  });
});
