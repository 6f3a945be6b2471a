import { spawn } from 'node:child_process';
import { type Findings, problemOfReport } from './findings.js';
import { fire } from './fire.js';
import type { FuzzHome } from './home.js';
import { encode } from './hostile.js';
import { Known } from './known.js';
import { type Call, callsOf } from './messages.js';
import { type FuzzOptions, fillIn } from './over-stdio.js';

export interface CliFigures {
  calls: number;
  refused: number;
  seconds: number;
}

const width = 2;
const patienceMs = 120_000;

/** Makes each call by a process of its own: `tool NAME --input -`, with the arguments on stdin. */
export async function fuzzCli(
  { main, seed, calls, isBrief }: FuzzOptions,
  home: FuzzHome,
  findings: Findings,
): Promise<CliFigures> {
  const startedAt = performance.now();
  const known = new Known();
  let refused = 0;
  await fire(callsOf(seed, isBrief), { count: calls, width }, async (call) => {
    const filled = fillIn(call, known) as Call;
    const { code, stdout, stderr } = await runCommand(main, filled, home.env);
    const problem = problemOfRun(code, stdout, stderr);
    if (problem) findings.add(`by the command line: ${problem}`, filled);
    if (code !== 0) refused++;
    else known.learn(JSON.parse(stdout));
  });
  return { calls, refused, seconds: (performance.now() - startedAt) / 1_000 };
}

interface Run {
  code: number | null;
  stdout: string;
  stderr: string;
}

function runCommand(main: string, { tool, args }: Call, env: Record<string, string>): Promise<Run> {
  // No argument of a program can hold it.
  const name = tool.replaceAll('\0', '');
  const child = spawn(process.execPath, [main, 'tool', name, '--input', '-', '--json'], { env, stdio: 'pipe' });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  // It may refuse the name of the tool before it reads.
  child.stdin.on('error', () => {});
  child.stdin.end(encode(args));
  const timer = setTimeout(() => child.kill('SIGKILL'), patienceMs);
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => {
      clearTimeout(timer);
      resolve({ code, stdout, stderr });
    });
  });
}

function problemOfRun(code: number | null, stdout: string, stderr: string): string | undefined {
  if (code === null) return `no end within ${patienceMs} ms`;
  if (code > 4) return `exit code ${code}: ${stderr.slice(0, 300)}`;
  if (/^ {4}at /m.test(stderr)) return `a stack on stderr: ${stderr.slice(0, 300)}`;
  return code === 0 ? undefined : problemOfReport(stdout);
}
