import type { Log } from '../../base/log.js';
import type { TargetLease } from '../../core/event-targets/leased-targets.js';
import type { Statement } from '../../store/sql.js';
import { type DeliveryNeeds, TargetDelivery } from './target-delivery.js';

export interface DelivererNeeds extends Omit<DeliveryNeeds, 'lease'> {
  isReadOnly: boolean;
  log: Log;
}

/**
 * Brings events to their targets, as one of the processes that do: each target is served by the process that has its
 * lease. Where there is no target, a look is one statement that finds nothing.
 */
export class Deliverer {
  readonly #needs: DelivererNeeds;
  readonly #serving = new Map<string, { lease: TargetLease; delivery: TargetDelivery }>();
  #areSinksKnown = false;
  #isStopped = false;

  constructor(needs: DelivererNeeds) {
    this.#needs = needs;
  }

  /** Takes over the targets that nobody serves, and serves them until `stop` or until their leases are lost. */
  async look(): Promise<void> {
    const { targets, eventTargets, sinks, isReadOnly } = this.#needs;
    if (isReadOnly || this.#isStopped) return;
    const names = [...sinks.keys()];
    if (names.length > 0 && !this.#areSinksKnown) {
      await eventTargets.addSinks(names);
      this.#areSinksKnown = true;
    }
    for (const id of await targets.free(names)) {
      if (this.#serving.has(id)) continue;
      const lease = await targets.take(id);
      if (lease) this.#serve(lease);
    }
  }

  /** Stops sending at once. Returns what gives the leases back. */
  stop(): Statement[] {
    this.#isStopped = true;
    const served = [...this.#serving.values()];
    for (const { delivery } of served) delivery.stop();
    return served.map(({ lease }) => this.#needs.targets.releasing(lease));
  }

  #serve(lease: TargetLease): void {
    const { targets, log } = this.#needs;
    const delivery = new TargetDelivery({ ...this.#needs, lease });
    this.#serving.set(lease.id, { lease, delivery });
    const end = async () => {
      try {
        await delivery.run();
        if (this.#isStopped) return;
        await targets.release(lease);
      } catch (error) {
        // Its lease lapses, and the next look goes on.
        if (!this.#isStopped) log.warn('events could not be delivered', { target: lease.name, error });
      } finally {
        this.#serving.delete(lease.id);
      }
    };
    void end();
  }
}
