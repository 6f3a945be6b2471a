import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { readCircuit } from '../../../src/core/breakers/circuit-rows.js';
import {
  admits,
  afterFailure,
  afterSuccess,
  atTime,
  type BreakerConfig,
  type Circuit,
  closedCircuit,
  defaultConfig,
  failureTypes,
  trippedByHand,
} from '../../../src/core/breakers/machine.js';
import { buildChild, startChild } from '../../support/child.js';
import { movingClock } from '../../support/moving-clock.js';
import { projectRoot } from '../../support/paths.js';
import { testRuntime } from '../../support/test-runtime.js';
import type { Order } from './driver.js';
import type { Answer, Operation } from './operation.js';

/** A process that does what it is told, one order after the other. */
async function startDriver(file: string): Promise<(order: Order) => Promise<Answer>> {
  const child = startChild(await buildChild(join(projectRoot, 'test', 'core', 'breakers', 'driver.ts')), [file]);
  const { stdin, stdout } = child.process;
  if (!stdin || !stdout) throw new Error('A child without pipes.');
  const lines = createInterface({ input: stdout });
  return async (order) => {
    const answer = once(lines, 'line');
    stdin.write(`${JSON.stringify(order)}\n`);
    return JSON.parse((await answer)[0] as string) as Answer;
  };
}

/** The pure machine with the permits that it leaves to its rows. */
class Model {
  circuit: Circuit = closedCircuit;
  permits = new Map<string, number>();

  constructor(public config: BreakerConfig) {}

  at(now: number): Circuit {
    const circuit = atTime(this.circuit, this.config, now);
    const permits = [...this.permits.values()].filter((expiresAt) => expiresAt > now).length;
    this.circuit = { ...circuit, permits };
    return this.circuit;
  }

  /** Takes the step; resolves to whether a call would be let through. */
  step(operation: Operation, now: number): boolean {
    const circuit = this.at(now);
    const { config } = this;
    if ('permit' in operation && operation.permit) this.permits.delete(operation.permit);
    switch (operation.do) {
      case 'acquire':
        return admits(circuit, config);
      case 'succeed':
        this.circuit = afterSuccess(circuit, config, now);
        break;
      case 'fail':
        this.circuit = afterFailure(circuit, config, now, operation);
        break;
      case 'trip':
        this.circuit = trippedByHand(circuit, config, now, operation.mustHold);
        break;
      case 'reset':
        this.circuit = closedCircuit;
        break;
      case 'configure':
        this.config = { ...config, ...operation.changes } as BreakerConfig;
        break;
      case 'release':
        break;
    }
    // Opening and closing end all probes, also where there is no cooldown.
    if (this.circuit.state !== 'half_open') this.permits.clear();
    return false;
  }
}

const seconds = (max: number) => fc.integer({ min: 1, max });

const rules: fc.Arbitrary<BreakerConfig> = fc.record({
  failureThreshold: fc.integer({ min: 1, max: 6 }),
  windowSeconds: seconds(120),
  failureRateThreshold: fc.option(fc.constantFrom(0.3, 0.5, 1)),
  minimumCalls: fc.integer({ min: 1, max: 5 }),
  failureWeights: fc.dictionary(fc.constantFrom(...failureTypes), fc.constantFrom(0, 0.5, 1, 2)),
  cooldownSeconds: fc.constantFrom(0, 1, 5, 60, 300),
  cooldownFactor: fc.constantFrom(1, 1.5, 2),
  maxCooldownSeconds: seconds(900),
  halfOpenMaxCalls: fc.integer({ min: 1, max: 3 }),
  successThreshold: fc.integer({ min: 1, max: 3 }),
  fallbackAgent: fc.constant(defaultConfig.fallbackAgent),
});

const callMs = fc.oneof(fc.integer({ min: 1, max: 5_000 }), fc.constant(1_000_000));

/** What happens next: time passes, or one of the processes does something. `spent` picks a permit among those given. */
const happening = fc.record({
  passMs: fc.oneof(
    { weight: 8, arbitrary: fc.constant(0) },
    { weight: 4, arbitrary: fc.nat({ max: 2_000 }) },
    { weight: 1, arbitrary: fc.integer({ min: 10_000, max: 310_000 }) },
  ),
  process: fc.nat({ max: 2 }),
  spent: fc.option(fc.nat(), { nil: undefined }),
  operation: fc.oneof(
    { weight: 12, arbitrary: fc.record({ do: fc.constant('acquire' as const), callMs }) },
    { weight: 4, arbitrary: fc.record({ do: fc.constant('succeed' as const) }) },
    {
      weight: 8,
      arbitrary: fc.record({
        do: fc.constant('fail' as const),
        type: fc.constantFrom(...failureTypes),
        retryAfterMs: fc.oneof(fc.constant(0), fc.nat({ max: 20_000 })),
      }),
    },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('release' as const), permit: fc.constant('none/at-all') }) },
    {
      weight: 1,
      arbitrary: fc.record({ do: fc.constant('trip' as const), mustHold: fc.constantFrom(true, false, false) }),
    },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('reset' as const) }) },
    {
      weight: 1,
      arbitrary: fc.record({
        do: fc.constant('configure' as const),
        changes: fc.record(
          {
            failureThreshold: fc.integer({ min: 1, max: 6 }),
            cooldownSeconds: fc.integer({ min: 0, max: 300 }),
            halfOpenMaxCalls: fc.integer({ min: 1, max: 3 }),
            successThreshold: fc.integer({ min: 1, max: 3 }),
          },
          { requiredKeys: [] },
        ),
      }),
    },
  ),
});

const lives = fc.array(happening, { minLength: 20, maxLength: 80 });

it('three processes with one breaker between them are one pure machine, and never send more probes than it allows', async () => {
  const clock = movingClock();
  const { db, breakers } = await testRuntime({ clock });
  const drivers = await Promise.all([0, 1, 2].map(() => startDriver(db.location)));
  const seen = new Set<string>();
  let number = 0;

  await fc.assert(
    fc.asyncProperty(rules, fc.boolean(), lives, async (config, startsHalfOpen, happenings) => {
      const id = `breaker-${++number}`;
      await breakers.configure(id, config);
      const model = new Model(config);
      const given: string[] = [];
      if (startsHalfOpen) {
        await breakers.trip(id, { reason: 'test' });
        model.step({ do: 'trip', mustHold: false }, clock.now());
        clock.pass(config.cooldownSeconds * 1000);
      }
      for (const { passMs, process, spent, operation: plain } of happenings) {
        clock.pass(passMs);
        const now = clock.now();
        const permit = spent === undefined ? undefined : given[spent % Math.max(1, given.length)];
        const operation: Operation =
          plain.do === 'succeed' || plain.do === 'fail' || (plain.do === 'release' && permit)
            ? ({ ...plain, permit } as Operation)
            : plain;
        const isAdmitted = model.step(operation, now);
        const answer = await drivers[process]?.({ id, now, operation });
        if (operation.do === 'acquire') {
          expect(answer?.allowed).toBe(isAdmitted);
          expect(answer?.permit !== undefined).toBe(isAdmitted && model.circuit.state === 'half_open');
          if (answer?.permit) {
            given.push(answer.permit);
            model.permits.set(answer.permit, now + operation.callMs);
          }
        }
        const expected = model.at(now);
        const stored = await readCircuit(db, id, { now: () => now, tick: () => now, bootId: 'boot-1' });
        expect({ ...stored?.circuit, failures: stored?.counted.map(({ at, weight }) => ({ at, weight })) }).toEqual(
          expected,
        );
        // A limit that was lowered meanwhile holds for the next.
        if (answer?.permit) expect(stored?.circuit.permits).toBeLessThanOrEqual(model.config.halfOpenMaxCalls);
        seen.add(`${expected.state}${expected.isHeld ? ' held' : ''}${expected.permits > 0 ? ' probing' : ''}`);
      }
    }),
    { numRuns: 150 },
  );
  // The sequences are worth something: they have been everywhere.
  expect([...seen].sort()).toEqual(['closed', 'half_open', 'half_open probing', 'open', 'open held']);
});
