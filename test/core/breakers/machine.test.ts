import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  admits,
  afterFailure,
  afterSuccess,
  atTime,
  type BreakerConfig,
  type Circuit,
  closedCircuit,
  defaultConfig,
  opened,
  retryAfterMs,
} from '../../../src/core/breakers/machine.js';

const config: BreakerConfig = { ...defaultConfig, failureThreshold: 3, windowSeconds: 60, cooldownSeconds: 300 };

/** Failures at these times, milliseconds. */
function failedAt(...times: number[]): Circuit {
  return times.reduce((circuit, now) => afterFailure(atTime(circuit, config, now), config, now), closedCircuit);
}

describe('a closed circuit', () => {
  it('opens at the threshold, within the window', () => {
    expect(failedAt(0, 10_000).state).toBe('closed');
    expect(failedAt(0, 10_000, 20_000)).toMatchObject({ state: 'open', cooldownUntil: 320_000 });
  });

  it('forgets failures that are older than the window', () => {
    expect(failedAt(0, 10_000, 61_000).state).toBe('closed');
    expect(failedAt(0, 10_000, 61_000, 62_000).state).toBe('open');
  });

  it('forgives its oldest failure with each success', () => {
    const forgiven = afterSuccess(failedAt(0, 10_000), config);
    expect(forgiven.failures).toEqual([10_000]);
    expect(afterFailure(forgiven, config, 20_000).state).toBe('closed');
  });
});

describe('an open circuit', () => {
  const open = failedAt(0, 1, 2);

  it('admits no call until its cooldown is over, and is half open then', () => {
    expect(admits(atTime(open, config, 300_001), config)).toBe(false);
    expect(atTime(open, config, 300_002)).toMatchObject({ state: 'half_open', cooldownUntil: null, probes: 0 });
  });

  it('says when it is worth asking again', () => {
    expect(retryAfterMs(open, 2)).toBe(300_000);
    expect(retryAfterMs(open, 400_000)).toBe(0);
  });

  it('stays open at least as long as a server that limits the rate has asked for', () => {
    const limited = afterFailure(failedAt(0, 1), config, 2, 3_600_000);
    expect(limited.cooldownUntil).toBe(3_600_002);
  });

  it('is moved neither by failures nor by successes of calls that began before', () => {
    expect(afterFailure(open, config, 100)).toBe(open);
    expect(afterSuccess(open, config)).toBe(open);
  });

  it('that was tripped by hand waits for a hand to reset it', () => {
    const held = opened(closedCircuit, 1_000, true);
    expect(atTime(held, config, 1_000_000).state).toBe('open');
    expect(retryAfterMs(held, 1_000_000)).toBeUndefined();
  });
});

describe('a half-open circuit', () => {
  const halfOpen = atTime(failedAt(0, 1, 2), config, 300_002);

  it('admits a counted number of probes', () => {
    expect([0, 2, 3].map((probes) => admits({ ...halfOpen, probes }, config))).toEqual([true, true, false]);
  });

  it('opens again with the first probe that fails', () => {
    expect(afterFailure(halfOpen, config, 301_000)).toMatchObject({ state: 'open', cooldownUntil: 601_000 });
  });

  it('closes, with a clean record, when enough of them succeed', () => {
    const once = afterSuccess(halfOpen, config);
    expect(once).toMatchObject({ state: 'half_open', halfOpenSuccesses: 1 });
    expect(afterSuccess(once, config)).toEqual(closedCircuit);
  });
});

it('whatever happens, an open circuit has an end, and a closed one fewer failures than the threshold', () => {
  const step = fc.oneof(
    fc.record({ what: fc.constant('pass' as const), ms: fc.nat({ max: 400_000 }) }),
    fc.record({ what: fc.constantFrom('fail' as const, 'succeed' as const), ms: fc.constant(0) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      let now = 0;
      let circuit: Circuit = closedCircuit;
      for (const { what, ms } of steps) {
        now += ms;
        circuit = atTime(circuit, config, now);
        if (what === 'fail') circuit = afterFailure(circuit, config, now);
        if (what === 'succeed') circuit = afterSuccess(circuit, config);
        if (circuit.state === 'open') expect(circuit.cooldownUntil).toBeGreaterThan(now);
        else expect(circuit.cooldownUntil).toBeNull();
        if (circuit.state === 'closed') expect(circuit.failures.length).toBeLessThan(config.failureThreshold);
        if (circuit.state === 'half_open') expect(circuit.halfOpenSuccesses).toBeLessThan(config.successThreshold);
      }
    }),
  );
});
