import { dirname, join } from 'node:path';
import type { Config } from '../../base/config.js';
import type { Log } from '../../base/log.js';
import { patternProblem } from '../../core/event-targets/event-targets.js';
import { createLeasedTargets, type TargetLease } from '../../core/event-targets/leased-targets.js';
import { sinksOf } from '../../runner/environment.js';
import type { Statement } from '../../store/sql.js';
import type { DeliveryNeeds, TargetDelivery } from './target-delivery.js';

export interface DelivererNeeds extends Omit<DeliveryNeeds, 'lease'> {
  isReadOnly: boolean;
  log: Log;
}

export interface DelivererParts extends Pick<DelivererNeeds, 'db' | 'clock' | 'log' | 'redact' | 'eventTargets'> {
  config: Config;
  /** Path of the bundled `job-runner`, beside which the `agent-host` is. */
  runnerEntry: string;
}

/** The deliverer of a process with this configuration. */
export function createDeliverer({ config, runnerEntry, ...ground }: DelivererParts): Deliverer {
  return new Deliverer({
    ...ground,
    isReadOnly: config.isReadOnly,
    targets: createLeasedTargets(ground),
    allowPrivate: config.webhooksAllowPrivate,
    random: Math.random,
    sinks: sinksOf(config),
    hostEntry: join(dirname(runnerEntry), 'agent-host.js'),
  });
}

/**
 * Brings events to their targets, as one of the processes that do: each target is served by the process that has its
 * lease. Where there is no target, a look is one statement that finds nothing.
 */
export class Deliverer {
  readonly #needs: DelivererNeeds;
  readonly #serving = new Map<string, { lease: TargetLease; delivery: TargetDelivery | undefined }>();
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
      this.#warnOfPatterns();
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
    for (const { delivery } of served) delivery?.stop();
    return served.map(({ lease }) => this.#needs.targets.releasing(lease));
  }

  /** A pattern that nothing matches stops nobody, and most likely is not what was meant. */
  #warnOfPatterns(): void {
    const { sinks, log } = this.#needs;
    for (const [sink, { filter }] of sinks) {
      const error = patternProblem(filter.events);
      if (error) log.warn('a sink of the config file has a wrong pattern', { sink, error });
    }
  }

  #serve(lease: TargetLease): void {
    const { targets, log } = this.#needs;
    this.#serving.set(lease.id, { lease, delivery: undefined });
    const serve = async () => {
      try {
        // Most boards have no target, and a start need not load what sends.
        const { TargetDelivery } = await import('./target-delivery.js');
        if (this.#isStopped) return;
        const delivery = new TargetDelivery({ ...this.#needs, lease });
        this.#serving.set(lease.id, { lease, delivery });
        await delivery.run();
        if (!this.#isStopped) await targets.release(lease);
      } catch (error) {
        // Its lease lapses, and the next look goes on.
        if (!this.#isStopped) log.warn('events could not be delivered', { target: lease.name, error });
      } finally {
        this.#serving.delete(lease.id);
      }
    };
    void serve();
  }
}
