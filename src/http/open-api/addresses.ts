import type { JsonObject } from '../../base/json.js';
import { eventSubjects } from '../../core/events/events.js';
import { visitorOutput } from '../page/visitor.js';
import { answered, outputSchema, refused, schemaOf } from './parts.js';

const effects = ['read', 'write', 'destroy'];

/** What the addresses of the server itself answer, by name. */
export const addressSchemas: JsonObject = {
  Health: {
    type: 'object',
    required: ['status', 'version', 'pid', 'uptime'],
    properties: {
      status: { const: 'ok' },
      version: { type: 'string' },
      pid: { type: 'integer' },
      uptime: { type: 'number', description: 'in seconds' },
    },
  },
  Visitor: outputSchema(visitorOutput),
  ToolList: {
    type: 'object',
    required: ['tools'],
    properties: {
      tools: {
        type: 'array',
        items: {
          type: 'object',
          required: ['name', 'title', 'effect', 'description', 'input'],
          properties: {
            name: { type: 'string' },
            title: { type: 'string' },
            effect: { type: 'string', enum: effects },
            description: { type: 'string' },
            input: { type: 'object', description: 'The JSON schema of what it takes.' },
          },
        },
      },
    },
  },
  StreamedEvent: {
    type: 'object',
    required: ['id', 'at', 'subject', 'subject_id', 'type', 'project', 'actor', 'data'],
    properties: {
      id: { type: 'integer' },
      at: { type: 'string', format: 'date-time' },
      subject: { type: 'string', enum: [...eventSubjects] },
      subject_id: { type: 'string' },
      type: { type: 'string', description: 'In the past tense, such as `created`.' },
      project: { type: 'string' },
      actor: { type: ['string', 'null'] },
      data: { type: 'object' },
    },
  },
};

const get = (operationId: string, summary: string, rest: JsonObject): JsonObject => ({
  get: { operationId, tags: ['server'], summary, ...rest },
});
const inPath = (name: string): JsonObject => ({ name, in: 'path', required: true, schema: { type: 'string' } });

/** The addresses of the server itself, as they are under `paths`. */
export const addresses: JsonObject = {
  '/api/health': get('health', 'Whether the server is up', { security: [], responses: answered(schemaOf('Health')) }),
  '/api/whoami': get('whoami', 'How the server sees who asks', { responses: answered(schemaOf('Visitor')) }),
  '/api/openapi.json': get('openapi', 'This description', { responses: answered({ type: 'object' }) }),
  '/api/tools': get('list_api_tools', 'The tools that you may call', { responses: answered(schemaOf('ToolList')) }),
  '/api/events': get('follow_events', 'Each change as a server-sent event, without end', {
    description:
      'First an event `ready`, whose id is the place from which a client goes on; then one without a name for each ' +
      'change, with a StreamedEvent as its data; every 10 seconds `beat`.',
    parameters: [
      {
        name: 'after',
        in: 'query',
        description: 'Goes on behind this event.',
        schema: { type: 'integer', minimum: 0 },
      },
      {
        name: 'Last-Event-ID',
        in: 'header',
        description: 'The same, as browsers send it.',
        schema: { type: 'string' },
      },
    ],
    responses: {
      200: {
        description: 'The stream. The data of an event without a name is a StreamedEvent.',
        content: { 'text/event-stream': { schema: { type: 'string' } } },
      },
      ...refused(),
    },
  }),
  '/api/artifacts/{job}/{name}': get('get_artifact', 'A file that a job has saved', {
    parameters: [
      inPath('job'),
      inPath('name'),
      {
        name: 'shown',
        in: 'query',
        allowEmptyValue: true,
        description: 'With it, pictures are answered with their own type, to be shown.',
        schema: { type: 'string' },
      },
    ],
    responses: {
      200: { description: 'The file.', content: { 'application/octet-stream': {}, 'image/*': {} } },
      ...refused(),
    },
  }),
};
