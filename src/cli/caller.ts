import type { Config } from '../base/config.js';
import type { Actor } from '../core/actor.js';
import { nameSession } from '../core/coordination/sessions.js';

/**
 * Who a command acts for. In a client's shell it is that client's own session, so that what one of them claims the
 * other may finish; in any other it is nobody, whose claims live by their lease alone.
 */
export function callerOf({ clientSessionId, project }: Config): Actor {
  return clientSessionId ? nameSession({ clientSessionId, project }) : { holder: null, project };
}
