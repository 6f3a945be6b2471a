import type { Agent } from './define-agent.js';

/** An agent of this program. */
export interface BuiltInAgent extends Agent {
  /** What a job with this payload demands. Throws `not_configured` when nothing here can meet it. */
  demandsOf?(payload: unknown): Demands;
}

/** What running a job takes. */
export interface Demands {
  /** The provider, command or module that its runner must have. */
  requires?: string | undefined;
  concurrency?: number | undefined;
  timeoutSeconds?: number | undefined;
}
