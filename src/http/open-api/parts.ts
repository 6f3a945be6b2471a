import type { z } from 'zod';
import { errorCodes } from '../../base/errors.js';
import type { JsonObject } from '../../base/json.js';
import { type JsonSchema, toJsonSchema } from '../../tools/call/input-schema.js';
import { statuses } from '../failure.js';

/** `create_task` with `Input` is `CreateTaskInput`. */
export function schemaName(tool: string, kind: 'Input' | 'Output'): string {
  const words = tool.split('_').map((word) => word.charAt(0).toUpperCase() + word.slice(1));
  return `${words.join('')}${kind}`;
}

export const schemaOf = (name: string): JsonObject => ({ $ref: `#/components/schemas/${name}` });

export const json = (schema: JsonObject): JsonObject => ({ 'application/json': { schema } });

/** What an answer has. A later version may add fields, so clients are not told that there are no others. */
export const outputSchema = (output: z.ZodType): JsonObject => open(toJsonSchema(output)) as JsonObject;

function open(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(open);
  if (typeof schema !== 'object' || schema === null) return schema;
  const { additionalProperties, ...rest } = schema as JsonSchema;
  const parts = Object.entries(rest).map(([key, value]) => [key, open(value)]);
  return {
    ...Object.fromEntries(parts),
    ...(additionalProperties === undefined || additionalProperties === false
      ? {}
      : { additionalProperties: open(additionalProperties) }),
  };
}

/** The answers of an address: what it is asked for, or a refusal. */
export const answered = (schema: JsonObject, refusal = 'Refused'): JsonObject => ({
  200: { description: 'Done.', content: json(schema) },
  ...refused(refusal),
});

export const refused = (refusal = 'Refused'): JsonObject => ({
  '4XX': { $ref: `#/components/responses/${refusal}` },
  '5XX': { $ref: `#/components/responses/${refusal}` },
});

const codesByStatus = [...new Set(Object.values(statuses))]
  .map((status) => `${status} ${errorCodes.filter((code) => statuses[code] === status).join(', ')}`)
  .join('; ');
const described =
  `The status says the code: ${codesByStatus}. Also \`invalid\` with 401 (no token, or no longer good), ` +
  '403 (a token that may only read) and 413 (more than 4 MB).';

const code = { type: 'string', enum: [...errorCodes] };
const hint = { type: 'string', description: 'What to do next.' };
const retry_after_seconds = { type: 'number', description: 'When the same call may succeed, where that is known.' };
const fields = {
  type: 'array',
  description: 'What is wrong with each argument, where it is known.',
  items: {
    type: 'object',
    required: ['place', 'message'],
    properties: {
      place: { type: 'string', description: 'Such as `tasks[1].title`; empty for the whole.' },
      message: { type: 'string' },
    },
  },
};

export const refusalSchemas: JsonObject = {
  Error: {
    type: 'object',
    required: ['error'],
    properties: {
      error: {
        type: 'object',
        required: ['code', 'message'],
        properties: {
          code,
          message: { type: 'string', description: 'What failed, and with which value.' },
          hint,
          retry_after_seconds,
          fields,
        },
      },
    },
  },
  CoordinatorError: {
    type: 'object',
    required: ['error', 'code'],
    properties: {
      success: { const: false, description: 'Not in a refusal of the server itself, such as of a token.' },
      error: { type: 'string', description: 'What failed, and with which value.' },
      code,
      hint,
      retry_after_seconds,
      fields,
    },
  },
};

export const refusals: JsonObject = {
  Refused: { description: described, content: json(schemaOf('Error')) },
  RefusedToCoordinator: {
    description: described,
    content: json({ anyOf: [schemaOf('CoordinatorError'), schemaOf('Error')] }),
  },
};
