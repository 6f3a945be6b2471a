#!/usr/bin/env node
import { readConfig } from './config.js';

const args = process.argv.slice(2);

// A client starts the server with a pipe and no argument; a person at a terminal gets help.
if (args.length === 0 && !process.stdin.isTTY) {
  const { serveStdio } = await import('./mcp/stdio.js');
  await serveStdio(() => readConfig());
} else {
  const { runCommandLine } = await import('./cli/program.js');
  await runCommandLine(args);
}
