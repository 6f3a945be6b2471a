import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { Findings } from './findings.js';
import { problemOf, shorten } from './findings.js';
import { fire } from './fire.js';
import type { FuzzHome } from './home.js';
import { encode } from './hostile.js';
import { Known } from './known.js';
import { brokenLines, type Message, messagesOf } from './messages.js';

export interface FuzzOptions {
  main: string;
  seed: number;
  calls: number;
  /** Without the tools that may wait for long. */
  isBrief?: boolean;
}

export interface StdioFigures {
  calls: number;
  refused: number;
  seconds: number;
  rssMbBefore: number;
  rssMbAfter: number;
  slowestPingMs: number;
  /** The longest call of each tool that took seconds. */
  slow: Record<string, number>;
}

type Answer = Record<string, unknown>;

/** So many requests are under way at once. */
const width = 32;
/** No tool takes longer than 50 s by its own rule. */
const patienceMs = 120_000;
const pingMs = 1_000;
/** A ping that waits longer shows that one call keeps all others from being answered. */
const longestStallMs = 5_000;
/** Memory is first looked at after so many calls: Node grows to its usual size whatever it does. */
const warmUp = 1_000;
const mostRssMb = 500;

/** Sends all messages through one server process, many at once, and looks at every answer. */
export async function fuzzStdio(
  { main, seed, calls, isBrief }: FuzzOptions,
  home: FuzzHome,
  findings: Findings,
): Promise<StdioFigures> {
  const startedAt = performance.now();
  const child = spawn(process.execPath, [main], { env: home.env, stdio: ['pipe', 'pipe', 'inherit'] });
  const line = new Line(child, findings);
  const known = new Known();
  let refused = 0;
  let slowestPingMs = 0;
  let rssMbBefore = 0;
  const slow: Record<string, number> = {};
  await line.ask('initialize', initialize);
  line.write('{"jsonrpc":"2.0","method":"notifications/initialized"}');
  const pinging = setInterval(async () => {
    const askedAt = performance.now();
    const before = line.underWay();
    await line.ask('ping', {}).catch(() => {});
    const ms = performance.now() - askedAt;
    slowestPingMs = Math.max(slowestPingMs, ms);
    if (ms > longestStallMs)
      findings.add(`nothing was answered for ${Math.round(ms)} ms`, { method: 'ping', params: before });
  }, pingMs);
  try {
    await fire(messagesOf(seed, isBrief), { count: calls, width }, async (message, index) => {
      if (index === warmUp) rssMbBefore = rssMb(child);
      if (index % 50 === 0) line.write(brokenLines[(index / 50) % brokenLines.length] ?? '');
      const filled = fillIn(message, known);
      const sentAt = performance.now();
      const answer = await line.send(filled);
      const ms = performance.now() - sentAt;
      const name = 'tool' in filled ? filled.tool : filled.method;
      if (ms > 3_000) slow[name] = Math.max(slow[name] ?? 0, Math.round(ms));
      const problem = problemOf(answer);
      if (problem) findings.add(problem, filled);
      if (answer.error || (answer.result as Answer | undefined)?.isError) refused++;
      else known.learn((answer.result as Answer | undefined)?.structuredContent);
    });
  } finally {
    clearInterval(pinging);
  }
  const rssMbAfter = rssMb(child);
  if (rssMbAfter > mostRssMb)
    findings.add(`the server has grown to ${rssMbAfter} MB`, { method: 'memory', params: {} });
  await line.end();
  const seconds = (performance.now() - startedAt) / 1_000;
  return { calls, refused, seconds, rssMbBefore, rssMbAfter, slowestPingMs, slow };
}

export const initialize = {
  protocolVersion: '2025-11-25',
  capabilities: {},
  clientInfo: { name: 'fuzz', version: '1' },
};

export const fillIn = (message: Message, known: Known): Message =>
  'tool' in message ? { ...message, args: known.fill(message.args) } : message;

interface Waiting {
  message: Message;
  resolve(answer: Answer): void;
  reject(error: Error): void;
  timer: NodeJS.Timeout;
}

/** A server's stdin and stdout. Every request must be answered by its id, once, and nothing else may be on stdout. */
class Line {
  readonly #child: ChildProcess;
  readonly #findings: Findings;
  readonly #waiting = new Map<number | string, Waiting>();
  readonly #ended: Promise<number | null>;
  #lastId = 0;
  #isEnding = false;

  constructor(child: ChildProcess, findings: Findings) {
    this.#child = child;
    this.#findings = findings;
    let rest = '';
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) this.#receive(line);
    });
    child.stdin?.on('error', () => {});
    this.#ended = new Promise((resolve) =>
      child.once('exit', (code, signal) => {
        for (const { message, reject } of this.#waiting.values()) {
          reject(new Error(`The server ended (${code ?? signal}) before it answered ${shorten(message)}`));
        }
        resolve(code);
      }),
    );
  }

  write(line: string): void {
    this.#child.stdin?.write(`${line}\n`);
  }

  ask(method: string, params: unknown): Promise<Answer> {
    return this.send({ method, params });
  }

  /** Rejects when there is no answer in time, or the server ends. */
  send(message: Message): Promise<Answer> {
    const number = ++this.#lastId;
    // Both kinds of id that the protocol has.
    const id = number % 2 === 0 ? number : `request ${number}`;
    const [method, params] =
      'tool' in message
        ? ['tools/call', { name: message.tool, arguments: message.args }]
        : [message.method, message.params];
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        reject(new Error(`No answer within ${patienceMs} ms to ${shorten(message)}`));
      }, patienceMs);
      this.#waiting.set(id, { message, resolve, reject, timer });
      this.write(encode({ jsonrpc: '2.0', id, method, params }));
    });
  }

  /** The requests without an answer so far. */
  underWay(): Message[] {
    return [...this.#waiting.values()].map(({ message }) => message).filter((message) => 'tool' in message);
  }

  #receive(line: string): void {
    let answer: Answer;
    try {
      answer = JSON.parse(line) as Answer;
    } catch {
      this.#findings.add(`not JSON on stdout: ${line.slice(0, 200)}`, { method: 'stdout', params: {} });
      return;
    }
    if (answer.method !== undefined) return;
    const id = answer.id as number | string;
    const waiting = this.#waiting.get(id);
    if (!waiting) {
      if (!isAnswerToBroken(answer)) this.#findings.add(`an answer to nobody: ${line.slice(0, 200)}`, stray);
      return;
    }
    this.#waiting.delete(id);
    clearTimeout(waiting.timer);
    waiting.resolve(answer);
  }

  /** Closes stdin as a client does; rejects when the server does not end with it. */
  async end(): Promise<void> {
    if (this.#isEnding) return;
    this.#isEnding = true;
    this.#child.stdin?.end();
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), patienceMs);
    const code = await this.#ended;
    clearTimeout(timer);
    if (code !== 0) throw new Error(`The server ended with ${code} when its input was closed.`);
  }
}

const stray: Message = { method: 'stdout', params: {} };

/** A line with an id that the protocol does not have may be answered by an error with that id or none. */
const isAnswerToBroken = ({ id, error }: Answer): boolean => error !== undefined && (id == null || id === 1.5);

const rssMb = ({ pid }: ChildProcess): number =>
  Math.round(Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1_024);
