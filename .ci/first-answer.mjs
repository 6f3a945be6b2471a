// Prints the milliseconds from the start of an MCP server to its answer to `initialize`: node first-answer.mjs COMMAND [ARGUMENT ...]
import { spawn } from 'node:child_process';

const [command, ...args] = process.argv.slice(2);
const startedAt = performance.now();
const server = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] });
const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'first-answer', version: '1' } };
server.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'initialize', params })}\n`);

let said = '';
server.stdout.on('data', (data) => {
  said += data;
  if (!said.includes('\n')) return;
  const { result } = JSON.parse(said.slice(0, said.indexOf('\n')));
  if (result?.serverInfo === undefined) throw new Error(`Not an answer to initialize: ${said}`);
  if (!server.stdin.writableEnded) console.log(Math.round(performance.now() - startedAt));
  server.stdin.end();
});
server.on('close', (code) => {
  process.exitCode = said === '' ? 1 : code;
});
