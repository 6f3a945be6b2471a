import { defineCommand } from '../define-command.js';
import { commandName } from '../launch.js';
import { argument, flag, list, optionalArgument, text } from '../options.js';

export const toolCommand = defineCommand({
  name: 'tool',
  description: 'Call one of the tools that MCP clients get, or list them.',
  usage: 'NAME [--arg key=value ...] [--input JSON|@FILE|-] | NAME --help | --list',
  arguments: { name: optionalArgument('the tool') },
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
  load: async () => (await import('../tool/tool.js')).runTool,
});

/** The other MCP servers whose tools this program calls. */
export const serversCommands = [
  defineCommand({
    name: 'list',
    description: 'List the servers of the config file and what is known about them. Starts none.',
    load: async () => (await import('../servers/servers.js')).listServers,
  }),
  defineCommand({
    name: 'import',
    description: "Copy servers from another client's file, such as .mcp.json, to the config file, after a backup.",
    arguments: { file: argument('a JSON file with mcpServers') },
    options: {
      isDry: flag('--dry-run', 'only print what would change'),
      isReplacing: flag('--replace', 'also replace servers that have the same name'),
    },
    load: async () => (await import('../servers/servers.js')).importServers,
  }),
  defineCommand({
    name: 'check',
    description: 'Start each server, ask for its tools, and stop it. The exit code is 1 if one does not answer.',
    arguments: { server: optionalArgument('only this one') },
    load: async () => (await import('../servers/servers.js')).checkServers,
  }),
];
