import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { type Findings, problemOf, problemOfReport } from './findings.js';
import { fire } from './fire.js';
import type { FuzzHome } from './home.js';
import { encode } from './hostile.js';
import { Known } from './known.js';
import { type Call, callsOf } from './messages.js';
import { type FuzzOptions, fillIn, initialize } from './over-stdio.js';

export interface HttpFigures {
  calls: number;
  refused: number;
  seconds: number;
}

const width = 8;
const patienceMs = 120_000;

/** Sends the calls to a server over HTTP, in turns as `/api/tools/NAME` and over MCP. */
export async function fuzzHttp(
  { main, seed, calls, isBrief }: FuzzOptions,
  home: FuzzHome,
  findings: Findings,
): Promise<HttpFigures> {
  const startedAt = performance.now();
  const child = spawn(process.execPath, [main, 'serve', '--http', '--port', '0', '--json'], {
    env: home.env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const url = await addressOf(child.stdout);
  const token = readFileSync(join(home.path, '.claude', 'agent_runtime', 'access-token'), 'utf8').trim();
  const post = poster(url, token);
  const session = await beginSession(post);
  const known = new Known();
  let refused = 0;
  await fire(callsOf(seed, isBrief), { count: calls, width }, async (call, index) => {
    const filled = fillIn(call, known) as Call;
    const reply = index % 2 === 0 ? await callByApi(post, filled) : await callByMcp(post, session, filled, index);
    if (reply.problem) findings.add(`over HTTP: ${reply.problem}`, filled);
    if (reply.isRefused) refused++;
    else known.learn(reply.result);
  });
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), patienceMs);
  const code = await ended;
  clearTimeout(timer);
  if (code !== 0) throw new Error(`The HTTP server ended with ${code} on SIGTERM.`);
  return { calls, refused, seconds: (performance.now() - startedAt) / 1_000 };
}

function addressOf(stdout: NodeJS.ReadableStream | null): Promise<string> {
  let text = '';
  return new Promise((resolve, reject) => {
    stdout?.on('data', (data: Buffer) => {
      text += data.toString();
      try {
        resolve((JSON.parse(text) as { url: string }).url);
      } catch {
        // More is to come.
      }
    });
    stdout?.on('end', () => reject(new Error(`The HTTP server ended before it said where it is: ${text}`)));
  });
}

interface HttpAnswer {
  status: number;
  session: string | undefined;
  text: string;
}

type Post = (path: string, body: unknown, headers?: Record<string, string>) => Promise<HttpAnswer>;

/** A connection of its own for each request: one that is kept may just be closed for having been idle. */
function poster(url: string, token: string): Post {
  return (path, body, headers = {}) =>
    new Promise((resolve, reject) => {
      const outgoing = request(new URL(path, url), {
        method: 'POST',
        agent: false,
        signal: AbortSignal.timeout(patienceMs),
        headers: {
          authorization: `Bearer ${token}`,
          'content-type': 'application/json',
          accept: 'application/json, text/event-stream',
          ...headers,
        },
      });
      outgoing.on('error', reject).on('response', async (response) => {
        const pieces: Buffer[] = [];
        for await (const piece of response) pieces.push(piece as Buffer);
        const session = response.headers['mcp-session-id'];
        const text = Buffer.concat(pieces).toString();
        resolve({ status: response.statusCode ?? 0, session: typeof session === 'string' ? session : undefined, text });
      });
      outgoing.end(encode(body));
    });
}

async function beginSession(post: Post): Promise<string> {
  const { session, status } = await post('/mcp', { jsonrpc: '2.0', id: 0, method: 'initialize', params: initialize });
  if (session === undefined) throw new Error(`/mcp gave no session: ${status}`);
  const headers = { 'mcp-session-id': session };
  await post('/mcp', { jsonrpc: '2.0', method: 'notifications/initialized' }, headers);
  return session;
}

interface Reply {
  problem: string | undefined;
  isRefused: boolean;
  result?: unknown;
}

async function callByApi(post: Post, { tool, args }: Call): Promise<Reply> {
  const { status, text } = await post(`/api/tools/${encodeURIComponent(wellFormed(tool))}`, args);
  if (status === 200) return { problem: undefined, isRefused: false, result: JSON.parse(text) };
  // An empty name is another path; everything else says what is wrong.
  const problem = tool === '' && status === 404 ? undefined : problemOfReport(text);
  return { problem, isRefused: true };
}

/** A path cannot hold half a character. */
const wellFormed = (text: string): string => Buffer.from(text).toString();

async function callByMcp(post: Post, session: string, { tool, args }: Call, id: number): Promise<Reply> {
  const message = { jsonrpc: '2.0', id, method: 'tools/call', params: { name: tool, arguments: args } };
  const { status, text } = await post('/mcp', message, { 'mcp-session-id': session });
  const answers = text
    .split('\n')
    .filter((line) => line.startsWith('data: {'))
    .map((line) => JSON.parse(line.slice('data: '.length)) as Record<string, unknown>);
  const answer = answers.find((candidate) => candidate.id === id) ?? parsed(text);
  if (!answer) return { problem: `${status} without an answer: ${text.slice(0, 200)}`, isRefused: true };
  const result = answer.result as Record<string, unknown> | undefined;
  const isRefused = answer.error !== undefined || result?.isError === true;
  return { problem: problemOf(answer), isRefused, result: result?.structuredContent };
}

function parsed(text: string): Record<string, unknown> | undefined {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return undefined;
  }
}
