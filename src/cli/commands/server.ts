import { defineCommand } from '../define-command.js';
import { dashboardPort, httpPort } from '../launch.js';
import { argument, flag, list, port, requiredText, textWithDefault } from '../options.js';

export const serverCommands = [
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
    load: async () => (await import('../serve.js')).runServe,
  }),
  defineCommand({
    name: 'dashboard',
    description: 'Serve the live dashboard, the HTTP API and MCP over HTTP, until Ctrl-C.',
    options: {
      ...httpOptions(dashboardPort),
      open: flag('--open', 'open the dashboard in a browser'),
    },
    load: async () => (await import('../serve-http.js')).runDashboard,
  }),
];

function httpOptions(defaultPort: number) {
  return {
    port: port('--port <number>', `the port; by default PORT, or ${defaultPort}, or the next free one`, { least: 0 }),
    host: textWithDefault('--host <name>', 'the address to listen on', '127.0.0.1'),
    allowedHosts: list('--allow-host <name...>', 'more host names to answer to, as behind a proxy'),
    needsToken: flag('--no-token', 'let in everyone who can reach the port; only on 127.0.0.1'),
  };
}

/** Access to the HTTP port for programs. */
export const tokenCommands = [
  defineCommand({
    name: 'create',
    description: 'Create a token and print it once; with --read-only, it cannot change anything.',
    options: { name: requiredText('--name <name>', 'what the token is for') },
    load: async () => (await import('../token.js')).createToken,
  }),
  defineCommand({
    name: 'list',
    description: 'List the tokens by id and name; the tokens themselves are not stored.',
    load: async () => (await import('../token.js')).listTokens,
  }),
  defineCommand({
    name: 'revoke',
    description: 'Revoke a token, at once and for good.',
    arguments: { token: argument('its id or name') },
    load: async () => (await import('../token.js')).revokeToken,
  }),
];
