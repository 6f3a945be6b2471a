import { Server } from '@modelcontextprotocol/sdk/server/index.js';
import type { AnyObjectSchema, SchemaOutput } from '@modelcontextprotocol/sdk/server/zod-compat.js';
import type { RequestHandlerExtra } from '@modelcontextprotocol/sdk/shared/protocol.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import {
  ErrorCode,
  type Implementation,
  type InitializeRequest,
  McpError,
  type Notification,
  type Request,
  type ServerNotification,
  type ServerRequest,
  type ServerResult,
} from '@modelcontextprotocol/sdk/types.js';
import { z } from 'zod';
import type { Handlers } from './exchange.js';
import { OwnRequests } from './own-requests.js';
import { explainIssues } from './refusal.js';

type Extra = RequestHandlerExtra<ServerRequest | Request, ServerNotification | Notification>;

/** What a request that its schema refuses is answered with: the SDK would send the schema's own dump as an internal error. */
export class ProtocolServer extends Server {
  /** The SDK's server has one text for every client. */
  instructionsFor?: (client: Implementation) => string | Promise<string>;
  /** What answers requests in the SDK's place. */
  handlers: Handlers = {};

  override connect(transport: Transport): Promise<void> {
    return super.connect(new OwnRequests(transport, this.handlers, this));
  }

  /** The SDK registers its own handlers by it too. */
  override setRequestHandler<Schema extends AnyObjectSchema>(
    schema: Schema,
    handler: (request: SchemaOutput<Schema>, extra: Extra) => ServerResult | Promise<ServerResult>,
  ): void {
    const strict = schema as unknown as z.ZodObject<{ method: z.ZodLiteral<string> }>;
    const loose = z.looseObject({ method: strict.shape.method });
    super.setRequestHandler(loose, async (request, extra) => {
      const { data, error } = strict.safeParse(request);
      if (error) throw new McpError(ErrorCode.InvalidParams, explainIssues(request.method, error.issues));
      const result = await handler(data as SchemaOutput<Schema>, extra);
      if (request.method !== 'initialize' || !this.instructionsFor) return result;
      const { clientInfo } = (data as unknown as InitializeRequest).params;
      return { ...result, instructions: await this.instructionsFor(clientInfo) };
    });
  }
}
