import fc from 'fast-check';
import { inputSchema } from '../../src/tools/call/input-schema.js';
import { chooseTools } from '../../src/tools/index.js';
import { hostileText, hostileValue, nearMiss } from './hostile.js';
import { object } from './schema-values.js';

/** A call of a tool; its arguments may mention what earlier answers have named (`Known.fill`). */
export interface Call {
  tool: string;
  args: unknown;
}

/** Any other request of the protocol. */
export interface Request {
  method: string;
  params: unknown;
}

export type Message = Call | Request;

const batch = 250;

/** Endless calls of tools, the same for the same seed; brief ones leave out the tools that wait for others. */
export function* callsOf(seed: number, isBrief = false): Generator<Call> {
  yield* endless(callsOfTools(isBrief), seed);
}

/** The same with other requests among them. */
export function* messagesOf(seed: number, isBrief = false): Generator<Message> {
  const request = fc.tuple(methods, params).map(([method, given]): Request => ({ method, params: given }));
  yield* endless(fc.oneof({ weight: 19, arbitrary: callsOfTools(isBrief) }, { weight: 1, arbitrary: request }), seed);
}

function* endless<Value>(arbitrary: fc.Arbitrary<Value>, seed: number): Generator<Value> {
  for (let round = 0; ; round++) yield* fc.sample(arbitrary, { numRuns: batch, seed: seed * 100_003 + round });
}

const tools = chooseTools({ toolsets: 'all', isReadOnly: false });

/** Each of them copies the database, starts a process, or waits for a service that takes one request in three seconds. */
const dear = new Set([
  ...['backup_database', 'clean_all_tasks', 'search_arxiv', 'web_search', 'scale_tool_server', 'verify_task'],
  ...['submit_background_task', 'submit_job', 'run_goal', 'run_relay', 'retry_task'],
]);

/** They may take the better part of a minute by their own rules. */
const slow = new Set([
  'search_arxiv',
  'decompose_goal',
  'call_tool',
  'verify_task',
  'wait_for_tasks',
  'list_available_tools',
]);

function callsOfTools(isBrief: boolean): fc.Arbitrary<Call> {
  const weighed = tools
    .filter(({ name }) => !isBrief || !slow.has(name))
    .map((tool) => ({ weight: dear.has(tool.name) ? 1 : 12, arbitrary: callOf(tool.name, inputSchema(tool)) }));
  return fc.oneof(...weighed);
}

function callOf(name: string, schema: ReturnType<typeof inputSchema>): fc.Arbitrary<Call> {
  const fields = ['nothing', ...Object.keys(schema.properties ?? {})];
  const given = object(schema);
  const spoilt = fc
    .tuple(given, fc.constantFrom(...fields), hostileValue)
    .map(([args, field, value]) => Object.fromEntries([...Object.entries(args), [field, value]]));
  const misnamed = fc
    .tuple(given, fc.constantFrom(...fields).chain(nearMiss), hostileValue)
    .map(([args, field, value]) => Object.fromEntries([...Object.entries(args), [field, value]]));
  const args: fc.Arbitrary<unknown> = fc.oneof(
    { weight: 75, arbitrary: given },
    { weight: 15, arbitrary: spoilt },
    { weight: 5, arbitrary: misnamed },
    { weight: 3, arbitrary: hostileValue },
  );
  const tool = fc.oneof({ weight: 30, arbitrary: fc.constant(name) }, { weight: 1, arbitrary: nearMiss(name) });
  return fc.record({ tool, args });
}

const methods = fc.constantFrom(
  ...['ping', 'tools/list', 'tools/call', 'resources/list', 'resources/templates/list', 'resources/read'],
  ...['resources/subscribe', 'resources/unsubscribe', 'prompts/list', 'prompts/get', 'completion/complete'],
  ...['logging/setLevel', 'initialize', 'tools', '', '__proto__', 'rpc.discover', 'tasks/list'],
);

const uris = fc.oneof(
  fc.constantFrom(
    'task://1',
    'task://auth',
    'goal://1',
    'job://x',
    'board://',
    'relay://x',
    'task://%E0%A4%A',
    'goal://',
  ),
  hostileText,
);

const params: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ uri: uris }) },
  { weight: 2, arbitrary: fc.record({ name: hostileValue, arguments: hostileValue }) },
  { weight: 2, arbitrary: fc.record({ cursor: hostileText }) },
  { weight: 2, arbitrary: fc.record({ level: fc.oneof(hostileText, fc.constantFrom('debug', 'error')) }) },
  {
    weight: 1,
    arbitrary: fc.record({ _meta: fc.record({ progressToken: hostileValue }), name: fc.constant('get_task') }),
  },
  { weight: 2, arbitrary: hostileValue },
);

/** Lines that are no message at all: nothing may come back but the answers to others. */
export const brokenLines: readonly string[] = [
  ...['{', '[]', 'null', '42', '""', '{}', '\0\0\0', '{"jsonrpc":"2.0"}', '{"jsonrpc":"1.0","method":"ping"}'],
  ...['{"jsonrpc":"2.0","id":null,"method":"ping"}', '{"jsonrpc":"2.0","id":{},"method":"ping"}', ' ', '\ufeff{}'],
  ...['{"jsonrpc":"2.0","id":1.5,"method":"ping"}', '{"jsonrpc":"2.0","result":{},"id":"nobody"}', 'x'.repeat(100_000)],
  ...['{"jsonrpc":"2.0","method":"notifications/initialized"}', '{"jsonrpc":"2.0","method":"notifications/none"}'],
  ...['{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":"none","progress":1}}'],
  ...['{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"none"}}'],
];
