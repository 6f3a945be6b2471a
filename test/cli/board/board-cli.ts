import { cpSync } from 'node:fs';
import { expect } from 'vitest';
import { runDir, tempDir } from '../../support/temp-dir.js';
import { inTerminal, type TerminalOptions } from '../in-terminal.js';
import { type CliOptions, runCli } from '../run-cli.js';

/** The program in a home of its own, on a board without tasks. */
export function boardCli(home = tempDir()) {
  const run = (args: string[], options: Omit<CliOptions, 'home'> = {}) => runCli(args, { home, ...options });
  return {
    home,
    run,
    inTerminal: (args: string[], options: Omit<TerminalOptions, 'home'> = {}) => inTerminal(args, { home, ...options }),
    /** Calls a tool that must succeed. */
    async tool(name: string, input: object, options: Omit<CliOptions, 'home'> = {}) {
      const end = await run(['tool', name, '--input', JSON.stringify(input), '--json'], options);
      expect([end.code, end.stderr]).toEqual([0, '']);
      return end.json();
    },
  };
}

let filling: Promise<string> | undefined;

/** A board with a task in each of three states: 1 is ready, 2 waits for it, 3 is being worked on. */
export async function filledBoard() {
  // Filled once, as that takes three processes, and copied for each test.
  filling ??= fill(boardCli(runDir()));
  const cli = boardCli();
  cpSync(await filling, cli.home, { recursive: true });
  return cli;
}

async function fill(cli: ReturnType<typeof boardCli>): Promise<string> {
  await cli.tool('create_goal', { name: 'Ship the parser', description: '' });
  await cli.tool('create_tasks', {
    goal_id: 1,
    tasks: [
      { title: 'Write the parser', key: 'parser' },
      { title: '文法を確認する \u001b]0;owned\u0007\u009b2J', dependencies: ['parser'] },
      { title: 'Draw the railroad diagrams', priority: 9 },
    ],
  });
  await cli.tool('update_task_status', {
    task_id: 3,
    status: 'in_progress',
    worker_id: 'painter',
    lease_seconds: 86_400,
  });
  return cli.home;
}
