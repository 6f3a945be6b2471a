import { boardCommands } from './board-commands.js';
import { shells } from './completion/shells.js';
import { dataCommands } from './data-commands.js';
import { type CommandSet, type DefinedCommand, defineCommand } from './define-command.js';
import { clientIds } from './install/clients.js';
import { jobCommands } from './job-commands.js';
import { claudeScopes, commandName, dashboardPort, httpPort } from './launch.js';
import {
  argument,
  choice,
  completedBy,
  count,
  flag,
  list,
  optionalArgument,
  port,
  requiredText,
  text,
  textWithDefault,
} from './options.js';
import { importedClients } from './servers/imported-clients.js';
import { webhookCommands } from './webhook-commands.js';

const setupCommands = [
  defineCommand({
    name: 'install',
    description:
      'Show how to connect a client; with --write, edit its config file. Without a client, offer those found.',
    options: {
      client: choice('--client <name>', 'the client; by default those of this machine are offered', clientIds),
      isAll: flag('--all', 'every client found that is not connected yet, with --write or --dry-run'),
      print: flag('--print', 'only show what to do (the default)', { conflictsWith: ['write', 'dryRun'] }),
      write: flag('--write', 'edit the config file, after a backup beside it', { conflictsWith: 'dryRun' }),
      isDry: flag('--dry-run', 'show as a diff what --write would change'),
      scope: choice('--scope <scope>', 'who gets the server: project, user, or local for claude-code', claudeScopes),
      variables: list(
        '--env <name[=value]>',
        'a variable of the server; without a value, the client passes on its own',
      ),
    },
    helpAfter: '\nGlobal options such as --db are passed on to the server that the client will start.\n',
    load: async () => (await import('./install/install.js')).runInstall,
  }),
  defineCommand({
    name: 'uninstall',
    description: 'Remove the server from the config file of a client, after a backup. The database stays.',
    options: {
      client: choice('--client <name>', 'the client; by default those that are connected are offered', clientIds),
      isAll: flag('--all', 'every client found'),
      isDry: flag('--dry-run', 'only show as a diff what would change'),
    },
    load: async () => (await import('./install/uninstall.js')).runUninstall,
  }),
  defineCommand({
    name: 'doctor',
    description: 'Check everything that the runtime needs, and print a fix for each problem. Changes nothing.',
    logsWarnings: true,
    load: async () => (await import('./doctor/doctor.js')).runDoctor,
  }),
  defineCommand({
    name: 'demo',
    description:
      'Run a demonstration in a temporary home: a goal, its tasks, and background work that outlives its server.',
    options: {
      relay: flag('--relay', 'run a relay of four agents instead; it needs a configured model'),
    },
    load: async () => (await import('./demo/demo.js')).runDemo,
  }),
  defineCommand({
    name: 'completion',
    description: 'Print a script that makes a shell complete commands, options, and the ids of goals, tasks and jobs.',
    arguments: { shell: argument('bash, zsh, fish or powershell', shells) },
    helpAfter: `
  bash        ${commandName} completion bash >> ~/.bashrc
  zsh         ${commandName} completion zsh >> ~/.zshrc        (after compinit)
  fish        ${commandName} completion fish > ~/.config/fish/completions/agent-runtime.fish
  PowerShell  ${commandName} completion powershell >> $PROFILE
`,
    load: async () => (await import('./completion/scripts.js')).runCompletion,
  }),
];

/** For hooks of Claude Code; the plugin has them call these. */
const hookCommands = [
  defineCommand({
    name: 'session-start',
    description: 'Print what this conversation holds and what is unread for it; nothing if there is nothing.',
    load: async () => (await import('./hook/session-start.js')).runSessionStart,
  }),
  defineCommand({
    name: 'pre-compact',
    description: 'Note on each task of this conversation how far it is, before a compaction.',
    load: async () => (await import('./hook/pre-compact.js')).runPreCompact,
  }),
  defineCommand({
    name: 'pre-tool-use',
    description: 'Refuse an edit of a file that another session has reserved.',
    load: async () => (await import('./guard/pre-tool-use.js')).answerPreToolUse,
  }),
];

/** What keeps sessions from editing and committing what another has reserved. */
const guardCommands = [
  defineCommand({
    name: 'check',
    description: 'Check the staged files; the exit code is 1 if another session has reserved one of them.',
    load: async () => (await import('./guard/check-staged.js')).runGuardCheck,
  }),
  defineCommand({
    name: 'install',
    description: 'Write the pre-commit hook of this repository; one that is there is kept, and runs first.',
    load: async () => (await import('./guard/install-guard.js')).runGuardInstall,
  }),
  defineCommand({
    name: 'uninstall',
    description: 'Remove the pre-commit hook, and put back the one that was there before.',
    load: async () => (await import('./guard/install-guard.js')).runGuardUninstall,
  }),
];

const serverCommands = [
  defineCommand({
    name: 'serve',
    description: 'Serve MCP on stdin and stdout, as a client starts it; with --http, on a port instead.',
    options: {
      ...httpOptions(httpPort),
      http: flag('--http', 'serve MCP and the HTTP API on a port, without the dashboard'),
      metricsPort: port('--metrics-port <port>', 'answer GET /metrics for Prometheus on this port of 127.0.0.1', {
        least: 1,
      }),
    },
    logsWarnings: true,
    load: async () => (await import('./serve.js')).runServe,
  }),
  defineCommand({
    name: 'dashboard',
    description: 'Serve the live dashboard, the HTTP API and MCP over HTTP, until Ctrl-C.',
    options: {
      ...httpOptions(dashboardPort),
      open: flag('--open', 'open the dashboard in a browser'),
      untilIdle: count('--until-idle <seconds>', 'end when no browser or session has been connected for so long'),
    },
    logsWarnings: true,
    load: async () => (await import('./serve-http.js')).runDashboard,
  }),
];

function httpOptions(defaultPort: number) {
  return {
    port: port('--port <number>', `the port; by default PORT, or ${defaultPort}, or the next free one`, { least: 0 }),
    host: textWithDefault('--host <name>', 'the address to listen on', '127.0.0.1'),
    allowedHosts: list('--allow-host <name...>', 'more host names to answer to, as behind a proxy'),
    needsToken: flag('--no-token', 'let in everyone who can reach the port; only on 127.0.0.1'),
    issuer: text('--issuer <url>', 'an OAuth issuer whose access tokens let in too (AGENT_RUNTIME_ISSUER)'),
    audience: text('--audience <names>', 'what the aud of its tokens has (AGENT_RUNTIME_AUDIENCE)'),
  };
}

/** Access to the HTTP port for programs. */
const tokenCommands = [
  defineCommand({
    name: 'create',
    description: 'Create a token and print it once; with --read-only, it cannot change anything.',
    options: {
      name: requiredText('--name <name>', 'what the token is for'),
      expiresIn: text('--expires-in <time>', 'end it after this time, such as 30d or 12h (default: never)'),
    },
    load: async () => (await import('./token.js')).createToken,
  }),
  defineCommand({
    name: 'list',
    description: 'List the tokens by id and name, and the browsers that are signed in.',
    load: async () => (await import('./token.js')).listTokens,
  }),
  defineCommand({
    name: 'revoke',
    description: 'Revoke a token with its browsers, or sign out one browser, at once and for good.',
    arguments: { token: argument('its id, or the name of a token') },
    load: async () => (await import('./token.js')).revokeToken,
  }),
];

const toolCommand = defineCommand({
  name: 'tool',
  description: 'Call one of the tools that MCP clients get, or list them.',
  usage: 'NAME [--arg key=value ...] [--input JSON|@FILE|-] | NAME --help | --list',
  arguments: { name: completedBy('tool', optionalArgument('the tool')) },
  options: {
    isList: flag('-l, --list', 'list the tools by toolset'),
    pairs: list('-a, --arg <key=value>', 'an argument; repeat it for more, or for another item of a list'),
    input: text('-i, --input <json>', 'all arguments as a JSON object; @FILE or - (stdin) to read it from there'),
    isHelp: flag('-h, --help', 'print what the tool does and takes'),
  },
  hasOwnHelp: true,
  allowsExcessWords: true,
  helpAfter: `
Examples:
  ${commandName} tool --list
  ${commandName} tool create_task --help
  ${commandName} tool create_task --arg title="Write the parser" --arg priority=8 --arg dependencies=1 --arg dependencies=2
  ${commandName} tool submit_background_task --arg task_description="Say hi" --arg model_params.max_tokens=100
  ${commandName} tool create_tasks --input @tasks.json --json

The tool's schema decides how a value is read. Give a list as JSON or by repeating --arg, and an object as JSON or with
dots. Exit codes: 0 done, 1 failed, 2 wrong usage, 3 not found, 4 conflict with the work of others.
`,
  load: async () => (await import('./tool/tool.js')).runTool,
});

/** The other MCP servers whose tools this program calls. */
const serversCommands = [
  defineCommand({
    name: 'list',
    description: 'List the servers of the config file and what is known about them. Starts none.',
    load: async () => (await import('./servers/servers.js')).listServers,
  }),
  defineCommand({
    name: 'import',
    description: 'Copy the servers of another client to the config file, after a backup. What is off there stays off.',
    arguments: { file: optionalArgument('its file, such as .mcp.json or config.toml') },
    options: {
      client: choice('--client <name>', "read the client's own files, for the user and this project", importedClients),
      isDry: flag('--dry-run', 'only print what would change'),
      isReplacing: flag('--replace', 'also replace servers that have the same name'),
    },
    load: async () => (await import('./servers/import.js')).importServers,
  }),
  defineCommand({
    name: 'check',
    description: 'Start each server, ask for its tools, and stop it. The exit code is 1 if one does not answer.',
    arguments: { server: completedBy('server', optionalArgument('only this one')) },
    load: async () => (await import('./servers/servers.js')).checkServers,
  }),
  defineCommand({
    name: 'login',
    description: 'Log in to a server that wants it, in a browser; the tokens are kept for all sessions.',
    arguments: { server: completedBy('server', argument('a server of the config file')) },
    options: {
      opensBrowser: flag('--no-browser', 'only print the address'),
      timeout: count('--timeout <seconds>', 'how long to wait for the browser to come back, 300 by default'),
    },
    load: async () => (await import('./servers/login.js')).loginToServer,
  }),
  defineCommand({
    name: 'logout',
    description: 'Delete the tokens of a server.',
    arguments: { server: completedBy('server', argument('a server of the config file')) },
    load: async () => (await import('./servers/login.js')).logoutOfServer,
  }),
  defineCommand({
    name: 'accept',
    description: 'Accept the tools of a server as they are now, after list_available_tools has marked some as changed.',
    arguments: { server: completedBy('server', argument('a server of the config file')) },
    load: async () => (await import('./servers/accept.js')).acceptServer,
  }),
];

const databaseCommands = [
  defineCommand({
    name: 'backup',
    description: 'Copy the database while others use it.',
    arguments: { file: optionalArgument('the new file; by default one in the backup directory') },
    load: async () => (await import('./database.js')).runBackup,
  }),
  defineCommand({
    name: 'restore',
    description: 'Replace the contents of the database by those of a backup; a copy of the current contents is kept.',
    arguments: { file: optionalArgument('the backup; by default the newest one') },
    options: {
      isForced: flag('--force', 'also while servers or runners use the database, or when it cannot be read'),
    },
    load: async () => (await import('./database.js')).runRestore,
  }),
  defineCommand({
    name: 'migrate',
    description:
      'Copy the database to a PostgreSQL server, or back to a file, and compare every row. The source stays; run again, it goes on.',
    options: {
      to: requiredText('--to <database>', 'postgres://user@host/database, or a file for what is on a server'),
      startsOver: flag('--start-over', 'give up what an interrupted move has left in the target'),
      isForced: flag('--force', 'also while sessions or runners use the source'),
    },
    load: async () => (await import('./migrate.js')).runMigrate,
  }),
  defineCommand({
    name: 'purge',
    description: 'Delete what ended long ago, after a backup; open work, and all that it depends on, stays.',
    options: { olderThan: requiredText('--older-than <age>', 'a number with m, h, d or w, such as 30d') },
    load: async () => (await import('./database.js')).runPurge,
  }),
];

/** Every command by group. `--help` and the README's table have the same groups and order. */
export const commands: Readonly<Record<string, readonly (DefinedCommand | CommandSet)[]>> = {
  Setup: [
    ...setupCommands,
    { name: 'hook', description: 'Answer a hook of Claude Code.', commands: hookCommands },
    { name: 'guard', description: 'Hold to the paths that sessions have reserved.', commands: guardCommands },
  ],
  Server: [
    ...serverCommands,
    {
      name: 'token',
      description: 'Manage the tokens that let programs and other hosts in over HTTP.',
      commands: tokenCommands,
    },
    webhookCommands,
  ],
  Board: boardCommands,
  Tools: [
    toolCommand,
    { name: 'servers', description: 'Manage the MCP servers whose tools call_tool calls.', commands: serversCommands },
  ],
  Jobs: jobCommands,
  Data: dataCommands,
  Database: databaseCommands,
};
