import { RuntimeError } from '../base/errors.js';
import { newShortId } from '../base/ids.js';
import type { Json, JsonObject } from '../base/json.js';
import type { Actor } from '../core/actor.js';
import { type Job, sweepOf } from '../core/jobs/job.js';
import { breakerOf } from '../core/jobs/job-breaker.js';
import type { NewJob } from '../core/jobs/submit-job.js';
import type { Jobs } from '../runner/jobs.js';
import { breakerWarning } from './breaker-warning.js';
import { type JobRequest, prepareJob, type SubmitNeeds } from './submit-job.js';

/** Values by the name of a payload's field; a name with dots leads into objects: `params.window`. */
export type Grid = Readonly<Record<string, readonly Json[]>>;

export interface SubmittedJobs {
  /** The id of the sweep, where there was a grid. */
  sweep: string | undefined;
  jobs: { job: Job; isRepeated: boolean; parameters: JsonObject | undefined }[];
  warnings: string[];
}

/** A sweep of more is a typing error more often than not. */
export const mostJobs = 200;

/**
 * Submits several jobs in one transaction. With a grid each of them is submitted once for every combination of its values,
 * and all together are a sweep, whose id is the `sweep` of their metadata too. Throws as `submitJob` does, naming the job;
 * nothing is submitted then.
 */
export async function submitJobs(
  requests: readonly JobRequest[],
  grid: Grid | undefined,
  actor: Actor,
  needs: Omit<SubmitNeeds, 'jobs'> & { jobs: Pick<Jobs, 'submitAll'> },
): Promise<SubmittedJobs> {
  const points = grid === undefined ? [undefined] : pointsOf(grid);
  const count = requests.length * points.length;
  if (count > mostJobs) {
    throw new RuntimeError(
      'invalid',
      `These are ${count} jobs; at most ${mostJobs} are submitted at once.`,
      'Use fewer values.',
    );
  }
  const sweep = grid === undefined ? undefined : sweepOf(requests[0]?.idempotency_key ?? newShortId());
  const wanted = requests.flatMap((request, place) => points.map((point) => ({ request, place, point })));
  const jobs: NewJob[] = [];
  const warnings = new Set<string>();
  for (const [number, { request, place, point }] of wanted.entries()) {
    const whole = point === undefined ? request : atPoint(request, point, number);
    const { job, warnings: ofJob } = await named(place, requests.length, point, () => prepareJob(whole, needs));
    for (const warning of ofJob) warnings.add(warning);
    jobs.push(sweep === undefined ? job : { ...job, sweep, metadata: { ...job.metadata, sweep } });
  }
  const submitted = await needs.jobs.submitAll(jobs, actor);
  const breakers = [...new Set(requests.map(({ type }) => breakerOf(type)))];
  const waiting = await breakerWarning(breakers, needs);
  if (waiting !== undefined) warnings.add(waiting);
  return {
    sweep,
    jobs: submitted.map((one, number) => ({ ...one, parameters: wanted[number]?.point })),
    warnings: [...warnings],
  };
}

/** Every combination of the values, the last name changing fastest. Throws `invalid` for a name without values. */
function pointsOf(grid: Grid): JsonObject[] {
  let points: JsonObject[] = [{}];
  for (const [name, values] of Object.entries(grid)) {
    if (values.length === 0) throw new RuntimeError('invalid', `The grid has no value for ${name}.`, 'Give a list.');
    points = points.flatMap((point) => values.map((value) => ({ ...point, [name]: value })));
    // Otherwise ten names of ten values each would be ten thousand million objects before they are counted.
    if (points.length > mostJobs) {
      throw new RuntimeError('invalid', `The grid has more than ${mostJobs} combinations.`, 'Use fewer values.');
    }
  }
  return points;
}

function atPoint(request: JobRequest, point: JsonObject, number: number): JobRequest {
  let { payload } = request;
  for (const [name, value] of Object.entries(point)) payload = withField(payload, name.split('.'), value);
  const ofPoint = (key: string | undefined) => (key === undefined ? undefined : `${key}#${number}`);
  return {
    ...request,
    payload,
    idempotency_key: ofPoint(request.idempotency_key),
    unique_key: ofPoint(request.unique_key),
  };
}

function withField(into: JsonObject, [name = '', ...rest]: readonly string[], value: Json): JsonObject {
  if (rest.length === 0) return { ...into, [name]: value };
  const inner = into[name];
  const isObject = typeof inner === 'object' && inner !== null && !Array.isArray(inner);
  return { ...into, [name]: withField(isObject ? inner : {}, rest, value) };
}

/** Adds to an error which of several jobs it is about. */
async function named<Result>(
  place: number,
  count: number,
  point: JsonObject | undefined,
  prepare: () => Promise<Result>,
): Promise<Result> {
  try {
    return await prepare();
  } catch (cause) {
    if (!(cause instanceof RuntimeError)) throw cause;
    const which = [...(count > 1 ? [`jobs[${place}]`] : []), ...(point ? [JSON.stringify(point)] : [])].join(' with ');
    const message = which === '' ? cause.message : `${which}: ${cause.message}`;
    throw new RuntimeError(cause.code, message, `${cause.hint ?? ''} Nothing was submitted.`.trim(), { cause });
  }
}
