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
  type FailureType,
  opened,
  retryAfterMs,
  trippedByHand,
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
    const forgiven = afterSuccess(failedAt(0, 10_000), config, 15_000);
    expect(forgiven.failures).toEqual([{ at: 10_000, weight: 1 }]);
    expect(afterFailure(forgiven, config, 20_000).state).toBe('closed');
  });
});

describe('an open circuit', () => {
  const open = failedAt(0, 1, 2);

  it('admits no call until its cooldown is over, and is half open then', () => {
    expect(admits(atTime(open, config, 300_001), config)).toBe(false);
    expect(atTime(open, config, 300_002)).toMatchObject({ state: 'half_open', cooldownUntil: null, permits: 0 });
  });

  it('says when it is worth asking again', () => {
    expect(retryAfterMs(open, 2)).toBe(300_000);
    expect(retryAfterMs(open, 400_000)).toBe(0);
  });

  it('stays open at least as long as a server that limits the rate has asked for', () => {
    const limited = afterFailure(failedAt(0, 1), config, 2, { type: 'rate_limited', retryAfterMs: 3_600_000 });
    expect(limited.cooldownUntil).toBe(3_600_002);
    // Asked for by a call that was under way when it opened.
    const later = afterFailure(limited, config, 10, { type: 'rate_limited', retryAfterMs: 3_600_000 });
    expect(later).toEqual({ ...limited, cooldownUntil: 3_600_010 });
    expect(afterFailure(later, config, 20, { type: 'rate_limited', retryAfterMs: 1_000 })).toBe(later);
  });

  it('is moved neither by failures nor by successes of calls that began before', () => {
    expect(afterFailure(open, config, 100)).toBe(open);
    expect(afterSuccess(open, config, 100)).toBe(open);
  });

  it('that was tripped by hand waits for a hand to reset it', () => {
    const held = trippedByHand(closedCircuit, config, 1_000, true);
    expect(atTime(held, config, 1_000_000)).toMatchObject({ state: 'open', isHeld: true, cooldownUntil: null });
    expect(retryAfterMs(held, 1_000_000)).toBeUndefined();
    expect(trippedByHand(held, config, 2_000, false).isHeld).toBe(true);
  });

  it('that is tripped by hand for its cooldown is not open for less than it was', () => {
    expect(trippedByHand(closedCircuit, config, 1_000, false)).toMatchObject({ state: 'open', cooldownUntil: 301_000 });
    expect(trippedByHand(opened(closedCircuit, 900_000), config, 1_000, false).cooldownUntil).toBe(900_000);
  });
});

describe('a half-open circuit', () => {
  const halfOpen = atTime(failedAt(0, 1, 2), config, 300_002);

  it('admits a counted number of probes', () => {
    expect([0, 2, 3].map((permits) => admits({ ...halfOpen, permits }, config))).toEqual([true, true, false]);
  });

  it('opens again with the first probe that fails', () => {
    expect(afterFailure(halfOpen, config, 301_000)).toMatchObject({ state: 'open', cooldownUntil: 601_000 });
  });

  it('closes, with a clean record, when enough of them succeed', () => {
    const once = afterSuccess(halfOpen, config, 301_000);
    expect(once).toMatchObject({ state: 'half_open', halfOpenSuccesses: 1 });
    expect(afterSuccess(once, config, 301_000)).toEqual(closedCircuit);
  });
});

describe('weights', () => {
  const weighted = { ...config, failureWeights: { timeout: 2, rate_limited: 0, quality_failure: 0.1 } };

  function failing(circuit: Circuit, ...types: FailureType[]): Circuit {
    return types.reduce((failed, type) => afterFailure(failed, weighted, 0, { type }), circuit);
  }

  it('let one kind of failure count for more than another', () => {
    expect(failing(closedCircuit, 'timeout').state).toBe('closed');
    expect(failing(closedCircuit, 'timeout', 'exception').state).toBe('open');
    expect(failing(closedCircuit, 'exception', 'exception').state).toBe('closed');
  });

  it('of a fraction add up as people add', () => {
    const tenths = (count: number) => Array<FailureType>(count).fill('quality_failure');
    expect(failing(closedCircuit, ...tenths(29)).state).toBe('closed');
    expect(failing(closedCircuit, ...tenths(30)).state).toBe('open');
  });

  it('of nothing leave it as it is, half open too', () => {
    expect(failing(closedCircuit, ...Array<FailureType>(9).fill('rate_limited'))).toEqual(closedCircuit);
    const halfOpen: Circuit = { ...closedCircuit, state: 'half_open' };
    expect(failing(halfOpen, 'rate_limited')).toEqual(halfOpen);
    expect(failing(halfOpen, 'quality_failure').state).toBe('open');
  });
});

describe('a failure rate', () => {
  const rated = { ...config, failureThreshold: 1_000, failureRateThreshold: 0.5, minimumCalls: 4 };

  /** `s` is a call that succeeds, `f` one that fails; each a second after the one before. */
  function circuitOf(calls: string, start = 0): Circuit {
    return [...calls].reduce((circuit, call, index) => {
      const now = start + index * 1_000;
      const here = atTime(circuit, rated, now);
      return call === 's' ? afterSuccess(here, rated, now) : afterFailure(here, rated, now);
    }, closedCircuit);
  }

  it('opens it when that share of the calls has failed', () => {
    expect(circuitOf('ssff').state).toBe('open');
    expect(circuitOf('sssfsf').state).toBe('closed');
    expect(circuitOf('sssfff').state).toBe('open');
  });

  it('means nothing below the least number of calls', () => {
    expect(circuitOf('fff').state).toBe('closed');
    expect(circuitOf('ffff').state).toBe('open');
  });

  it('is that of the window', () => {
    const old = atTime(circuitOf('ssssss'), rated, 66_000);
    expect(old.calls).toEqual([]);
    expect([66, 67, 68, 69].reduce((circuit, at) => afterFailure(circuit, rated, at * 1_000), old).state).toBe('open');
  });

  it('needs no more room for a thousand calls than for sixty', () => {
    let circuit: Circuit = closedCircuit;
    for (let now = 0; now < 120_000; now += 100) circuit = afterSuccess(atTime(circuit, rated, now), rated, now);
    expect(circuit.calls.length).toBeLessThanOrEqual(60);
    const counted = circuit.calls.reduce((sum, slice) => sum + slice.succeeded, 0);
    expect(counted).toBeGreaterThanOrEqual(590);
    expect(counted).toBeLessThanOrEqual(600);
  });

  it('is not kept for those who have no such rule', () => {
    expect(afterSuccess(closedCircuit, config, 0).calls).toEqual([]);
    expect(failedAt(0).calls).toEqual([]);
  });
});

describe('a cooldown that grows', () => {
  const growing = { ...config, cooldownFactor: 2, maxCooldownSeconds: 1_000 };

  /** The cooldowns of a circuit whose every probe fails, in seconds. */
  function cooldowns(rules: BreakerConfig, times: number): number[] {
    let circuit = [0, 0, 0].reduce<Circuit>((failed, at) => afterFailure(failed, rules, at), closedCircuit);
    let now = 0;
    return Array.from({ length: times }, () => {
      const until = circuit.cooldownUntil ?? 0;
      const seconds = (until - now) / 1000;
      now = until;
      circuit = afterFailure(atTime(circuit, rules, now), rules, now);
      return seconds;
    });
  }

  it('doubles with each probe that fails, up to its cap', () => {
    expect(cooldowns(growing, 5)).toEqual([300, 600, 1_000, 1_000, 1_000]);
  });

  it('is always the same for those who have not asked for it', () => {
    expect(cooldowns(config, 4)).toEqual([300, 300, 300, 300]);
  });

  it('is not cut short by a cap below it', () => {
    expect(cooldowns({ ...growing, maxCooldownSeconds: 10 }, 2)).toEqual([300, 300]);
  });

  it('begins anew once it was closed', () => {
    const twice = afterFailure(atTime(failedAt(0, 0, 0), growing, 300_000), growing, 300_000);
    expect(twice.consecutiveTrips).toBe(2);
    const halfOpen = atTime(twice, growing, 900_000);
    const closed = afterSuccess(afterSuccess(halfOpen, growing, 900_000), growing, 900_000);
    const again = [0, 0, 0].reduce((circuit) => afterFailure(circuit, growing, 900_000), closed);
    expect(again.cooldownUntil).toBe(1_200_000);
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
        if (what === 'succeed') circuit = afterSuccess(circuit, config, now);
        if (circuit.state === 'open') expect(circuit.cooldownUntil).toBeGreaterThan(now);
        else expect(circuit.cooldownUntil).toBeNull();
        if (circuit.state === 'closed') expect(circuit.failures.length).toBeLessThan(config.failureThreshold);
        if (circuit.state === 'half_open') expect(circuit.halfOpenSuccesses).toBeLessThan(config.successThreshold);
      }
    }),
  );
});
