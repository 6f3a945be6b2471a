import { type ClientApp, standardEntry } from './client-app.js';

const inServers = ['mcpServers'];
const clineSettings = ['settings', 'cline_mcp_settings.json'];

/**
 * Every client that `install` knows, by the name of `--client`. Paths and forms follow the clients' own documentation and
 * the table of the package `add-mcp` 2.4.0. A client is declared here and nowhere else.
 */
export const clientApps = {
  'claude-code': {
    title: 'Claude Code',
    // Its user scope is in a state file that it rewrites all the time; `claude mcp` changes that.
    files: { project: (at) => at.project('.mcp.json') },
    traces: (at) => [at.home('.claude')],
    format: 'json',
    serversPath: inServers,
    entry: standardEntry,
    reference: (name) => `\${${name}}`,
    isDesktopApp: false,
    afterwards: 'Start `claude` in that directory and approve the server, or see /mcp.',
  },
  'claude-desktop': {
    title: 'Claude Desktop',
    files: { user: (at) => at.appData('Claude', 'claude_desktop_config.json') },
    traces: (at) => [at.appData('Claude')],
    format: 'json',
    serversPath: inServers,
    entry: standardEntry,
    isDesktopApp: true,
    afterwards:
      'Quit Claude Desktop and start it again. Settings > Developer > Edit Config shows the file that it reads.',
  },
  cursor: {
    title: 'Cursor',
    files: { user: (at) => at.home('.cursor', 'mcp.json'), project: (at) => at.project('.cursor', 'mcp.json') },
    traces: (at) => [at.home('.cursor')],
    format: 'json',
    serversPath: inServers,
    entry: standardEntry,
    reference: (name) => `\${env:${name}}`,
    isDesktopApp: true,
    afterwards: 'Cursor > Settings > MCP shows the server; switch it on.',
  },
  vscode: {
    title: 'VS Code',
    files: { project: (at) => at.project('.vscode', 'mcp.json'), user: (at) => at.appData('Code', 'User', 'mcp.json') },
    traces: (at) => [at.appData('Code')],
    format: 'json',
    serversPath: ['servers'],
    entry: (start) => ({ type: 'stdio', ...standardEntry(start) }),
    reference: (name) => `\${input:${inputId(name)}}`,
    inputFor: (name) => ({ type: 'promptString', id: inputId(name), description: name, password: true }),
    // VS Code asks the login shell for its PATH, and the file is shared with the project.
    isDesktopApp: false,
    afterwards: 'Run "MCP: List Servers" in VS Code and start it.',
  },
  codex: {
    title: 'Codex',
    files: {
      user: (at) => at.named('CODEX_HOME', '.codex', 'config.toml'),
      project: (at) => at.project('.codex', 'config.toml'),
    },
    traces: (at) => [at.named('CODEX_HOME', '.codex')],
    format: 'toml',
    serversPath: ['mcp_servers'],
    entry: ({ passedEnv, ...start }) => ({
      ...standardEntry({ ...start, passedEnv: [] }),
      ...(passedEnv.length > 0 ? { env_vars: passedEnv } : {}),
    }),
    passesEnvByName: true,
    // By itself it waits for 10 s, which a first start through npx may exceed.
    defaults: { startup_timeout_sec: 60 },
    isDesktopApp: false,
    afterwards: 'Start `codex`; /mcp shows the server.',
  },
  'gemini-cli': {
    title: 'Gemini CLI',
    files: {
      user: (at) => at.home('.gemini', 'settings.json'),
      project: (at) => at.project('.gemini', 'settings.json'),
    },
    traces: (at) => [at.home('.gemini', 'settings.json'), at.home('.gemini', 'tmp')],
    format: 'json',
    serversPath: inServers,
    entry: standardEntry,
    reference: (name) => `$${name}`,
    isDesktopApp: false,
    afterwards: 'Start `gemini` in a trusted folder; /mcp shows the server.',
  },
  opencode: {
    title: 'opencode',
    files: {
      user: (at) => [at.home('.config', 'opencode', 'opencode.json'), at.home('.config', 'opencode', 'opencode.jsonc')],
      project: (at) => [at.project('opencode.json'), at.project('opencode.jsonc')],
    },
    traces: (at) => [at.home('.config', 'opencode'), at.home('.local', 'share', 'opencode')],
    format: 'json',
    serversPath: ['mcp'],
    entry: openCodeEntry,
    defaults: { enabled: true },
    reference: (name) => `{env:${name}}`,
    isDesktopApp: false,
    afterwards: 'Run `opencode mcp list`.',
  },
  'copilot-cli': {
    title: 'GitHub Copilot CLI',
    files: { user: (at) => at.named('COPILOT_HOME', '.copilot', 'mcp-config.json') },
    traces: (at) => [at.named('COPILOT_HOME', '.copilot')],
    format: 'json',
    serversPath: inServers,
    entry: (start) => ({ type: 'local', ...standardEntry(start) }),
    defaults: { tools: ['*'] },
    reference: (name) => `\${${name}}`,
    isDesktopApp: false,
    afterwards: 'Start `copilot`; /mcp show lists the server.',
  },
  windsurf: {
    title: 'Windsurf',
    files: { user: (at) => at.home('.codeium', 'windsurf', 'mcp_config.json') },
    traces: (at) => [at.home('.codeium', 'windsurf')],
    format: 'json',
    serversPath: inServers,
    entry: standardEntry,
    reference: (name) => `\${env:${name}}`,
    isDesktopApp: true,
    afterwards: 'Windsurf > Settings > Cascade > MCP servers: refresh the list.',
  },
  zed: {
    title: 'Zed',
    files: {
      // Its directory has a capital letter on Windows alone.
      user: (at) => [at.config('zed', 'settings.json'), at.appData('Zed', 'settings.json')],
      project: (at) => at.project('.zed', 'settings.json'),
    },
    traces: (at) => [at.config('zed'), at.appData('Zed')],
    format: 'json',
    serversPath: ['context_servers'],
    entry: ({ env, ...start }) => ({ source: 'custom', ...standardEntry({ ...start, env: {} }), env }),
    isDesktopApp: true,
    afterwards: 'Zed starts the server at once; the settings of the agent panel show it.',
  },
  goose: {
    title: 'Goose',
    files: { user: (at) => [at.config('goose', 'config.yaml'), at.appData('Block', 'goose', 'config', 'config.yaml')] },
    traces: (at) => [at.config('goose'), at.appData('Block', 'goose')],
    format: 'yaml',
    serversPath: ['extensions'],
    entry: ({ command, args, env }) => ({ name: 'agent-runtime', type: 'stdio', cmd: command, args, envs: env }),
    defaults: { description: '', enabled: true, timeout: 300 },
    isDesktopApp: false,
    afterwards: 'Start a new session; `goose info -v` shows the extensions.',
  },
  cline: {
    title: 'Cline in VS Code',
    files: {
      user: (at) => at.appData('Code', 'User', 'globalStorage', 'saoudrizwan.claude-dev', ...clineSettings),
    },
    traces: (at) => [at.appData('Code', 'User', 'globalStorage', 'saoudrizwan.claude-dev')],
    format: 'json',
    serversPath: inServers,
    entry: standardEntry,
    defaults: { disabled: false },
    isDesktopApp: false,
    afterwards: 'Cline > MCP Servers > Installed shows the server.',
  },
  'cline-cli': {
    title: 'Cline CLI',
    files: { user: (at) => at.named('CLINE_DIR', '.cline', 'data', ...clineSettings) },
    traces: (at) => [at.named('CLINE_DIR', '.cline')],
    format: 'json',
    serversPath: inServers,
    entry: standardEntry,
    defaults: { disabled: false },
    isDesktopApp: false,
    afterwards: 'Start `cline` again.',
  },
  junie: {
    title: 'JetBrains Junie',
    files: {
      user: (at) => at.home('.junie', 'mcp', 'mcp.json'),
      project: (at) => at.project('.junie', 'mcp', 'mcp.json'),
    },
    traces: (at) => [at.home('.junie')],
    format: 'json',
    serversPath: inServers,
    entry: standardEntry,
    isDesktopApp: true,
    afterwards: 'Settings > Tools > Junie > MCP Settings shows the server.',
  },
  kiro: {
    title: 'Kiro',
    files: {
      user: (at) => at.home('.kiro', 'settings', 'mcp.json'),
      project: (at) => at.project('.kiro', 'settings', 'mcp.json'),
    },
    traces: (at) => [at.home('.kiro')],
    format: 'json',
    serversPath: inServers,
    entry: standardEntry,
    isDesktopApp: true,
    afterwards: 'The MCP view of Kiro shows the server.',
  },
  amp: {
    title: 'Amp',
    files: {
      user: (at) => at.home('.config', 'amp', 'settings.json'),
      project: (at) => at.project('.amp', 'settings.json'),
    },
    traces: (at) => [at.home('.config', 'amp')],
    format: 'json',
    // One name with a dot in it.
    serversPath: ['amp.mcpServers'],
    entry: standardEntry,
    reference: (name) => `\${${name}}`,
    isDesktopApp: false,
    afterwards: 'Run `amp mcp list`.',
  },
  grok: {
    title: 'Grok Build',
    files: {
      user: (at) => at.named('GROK_HOME', '.grok', 'config.toml'),
      project: (at) => at.project('.grok', 'config.toml'),
    },
    traces: (at) => [at.named('GROK_HOME', '.grok')],
    format: 'toml',
    serversPath: ['mcp_servers'],
    entry: standardEntry,
    isDesktopApp: false,
    afterwards: 'Start `grok` again.',
  },
  'kilo-code': {
    title: 'Kilo Code',
    files: {
      user: (at) => [at.config('kilo', 'kilo.json'), at.config('kilo', 'kilo.jsonc')],
      project: (at) => [at.project('.kilo', 'kilo.json'), at.project('.kilo', 'kilo.jsonc'), at.project('kilo.jsonc')],
    },
    traces: (at) => [at.config('kilo'), at.appData('Code', 'User', 'globalStorage', 'kilocode.kilo-code')],
    format: 'json',
    serversPath: ['mcp'],
    entry: openCodeEntry,
    defaults: { enabled: true },
    isDesktopApp: false,
    afterwards: 'Kilo Code > Settings > MCP Servers shows the server.',
  },
  'kimi-code': {
    title: 'Kimi Code',
    files: {
      user: (at) => at.named('KIMI_CODE_HOME', '.kimi-code', 'mcp.json'),
      project: (at) => at.project('.kimi-code', 'mcp.json'),
    },
    traces: (at) => [at.named('KIMI_CODE_HOME', '.kimi-code')],
    format: 'json',
    serversPath: inServers,
    entry: (start) => ({ transport: 'stdio', ...standardEntry(start) }),
    isDesktopApp: false,
    afterwards: 'Start `kimi` again.',
  },
  antigravity: {
    title: 'Antigravity',
    files: { user: (at) => at.home('.gemini', 'config', 'mcp_config.json') },
    traces: (at) => [at.home('.gemini', 'config')],
    format: 'json',
    serversPath: inServers,
    entry: standardEntry,
    isDesktopApp: true,
    afterwards: 'Manage MCP Servers in the agent panel: refresh the list.',
  },
  'lm-studio': {
    title: 'LM Studio',
    files: { user: (at) => at.home('.lmstudio', 'mcp.json') },
    traces: (at) => [at.home('.lmstudio')],
    format: 'json',
    serversPath: inServers,
    entry: standardEntry,
    isDesktopApp: true,
    afterwards: 'The Program tab of LM Studio shows the server; switch it on.',
  },
  mastracode: {
    title: 'Mastra Code',
    files: { user: (at) => at.home('.mastracode', 'mcp.json'), project: (at) => at.project('.mastracode', 'mcp.json') },
    traces: (at) => [at.home('.mastracode')],
    format: 'json',
    serversPath: inServers,
    entry: standardEntry,
    isDesktopApp: false,
    afterwards: 'Start it again; /mcp shows the server.',
  },
  mcporter: {
    title: 'MCPorter',
    files: {
      user: (at) => [at.home('.mcporter', 'mcporter.json'), at.home('.mcporter', 'mcporter.jsonc')],
      project: (at) => at.project('config', 'mcporter.json'),
    },
    traces: (at) => [at.home('.mcporter')],
    format: 'json',
    serversPath: inServers,
    entry: standardEntry,
    isDesktopApp: false,
    afterwards: 'Run `mcporter list`.',
  },
  pi: {
    title: 'Pi',
    files: {
      user: (at) => at.named('PI_CODING_AGENT_DIR', '.pi/agent', 'mcp.json'),
      project: (at) => at.project('.pi', 'mcp.json'),
    },
    traces: (at) => [at.named('PI_CODING_AGENT_DIR', '.pi/agent')],
    format: 'json',
    serversPath: inServers,
    entry: standardEntry,
    isDesktopApp: false,
    afterwards: 'Start `pi` again.',
  },
} as const satisfies Readonly<Record<string, ClientApp>>;

export type ClientId = keyof typeof clientApps;

export const clientIds = Object.keys(clientApps) as ClientId[];

export function clientOf(id: ClientId): ClientApp {
  return clientApps[id];
}

/** opencode and its kin have one list for the command and its arguments. */
function openCodeEntry({ command, args, env }: Parameters<ClientApp['entry']>[0]) {
  return {
    type: 'local',
    command: [command, ...args],
    ...(Object.keys(env).length > 0 ? { environment: env } : {}),
  };
}

/** VS Code's inputs have names of their own. */
function inputId(name: string): string {
  return name.toLowerCase().replaceAll('_', '-');
}
