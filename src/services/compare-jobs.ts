import { RuntimeError } from '../base/errors.js';
import type { Json, JsonObject } from '../base/json.js';
import type { Job, JobStatus } from '../core/jobs/job.js';
import type { Jobs } from '../runner/jobs.js';
import { type JobFacts, readCondition, requireKnown } from './job-conditions.js';

export interface ComparisonRequest {
  /** Which jobs: these, those of a sweep, or those of a type; several of the three narrow each other. */
  jobIds?: readonly string[] | undefined;
  sweep?: string | undefined;
  type?: string | undefined;
  /** Only jobs of this project and of none, where they are chosen by type alone. */
  project?: string | undefined;
  /** Conditions that all must meet, as `readCondition` takes them. */
  where?: readonly string[] | undefined;
  /** Fields of the results, the first of which ranks; `-name` says that less is better. Usual ones unless given. */
  figures?: readonly string[] | undefined;
  limit: number;
}

export interface Figure {
  name: string;
  isLessBetter: boolean;
}

export interface ComparedJob {
  id: string;
  type: string;
  status: JobStatus;
  /** Those in which the jobs differ. */
  parameters: JsonObject;
  figures: Record<string, number>;
  /** The figures in which no other job is better. */
  best: string[];
}

export interface Comparison {
  /** By the first figure, best first; those without it last. */
  jobs: ComparedJob[];
  figures: Figure[];
  /** The parameters that all of them share. */
  same: JsonObject;
  /** How many met the conditions. */
  total: number;
  /** Whether there are older jobs of the type that were not looked at. */
  isCut: boolean;
}

/** So many of the newest jobs of a type are looked at. */
const mostLookedAt = 1_000;
const readAtOnce = 50;

/**
 * Compares jobs by the parameters in which they differ and by the figures of their results. Throws `invalid` when no jobs
 * are named, for a condition that cannot be read and for a name that no job has; `not_found` for an unknown id or sweep.
 */
export async function compareJobs(
  request: ComparisonRequest,
  jobs: Pick<Jobs, 'get' | 'list' | 'results'>,
): Promise<Comparison> {
  const conditions = (request.where ?? []).map(readCondition);
  const found = await findJobs(request, jobs);
  const all = await readFacts(found.jobs, jobs);
  requireKnown(
    conditions.map(({ name }) => name),
    all,
  );
  const chosen = all.filter((facts) => conditions.every(({ isMet }) => isMet(facts)));
  const figures = chooseFigures(request.figures, chosen);
  const ranked = rank(chosen, figures[0]);
  const { same, differing } = splitParameters(chosen);
  const best = new Map(figures.map((figure) => [figure.name, rank(chosen, figure)[0]?.figures[figure.name]]));
  return {
    jobs: ranked.slice(0, request.limit).map((facts) => ({
      id: facts.id,
      type: facts.type,
      status: facts.status,
      parameters: pick(facts.parameters, differing),
      figures: pick(
        facts.figures,
        figures.map(({ name }) => name),
      ),
      best:
        chosen.length < 2
          ? []
          : figures.flatMap(({ name }) => (isBest(facts.figures[name], best.get(name)) ? [name] : [])),
    })),
    figures,
    same,
    total: chosen.length,
    isCut: found.isCut,
  };
}

const isBest = (value: number | undefined, best: number | undefined): boolean => value !== undefined && value === best;

async function findJobs(
  request: ComparisonRequest,
  jobs: Pick<Jobs, 'get' | 'list'>,
): Promise<{ jobs: Job[]; isCut: boolean }> {
  const { jobIds, sweep, type, project } = request;
  if (jobIds !== undefined) {
    const named: Job[] = [];
    for (const id of new Set(jobIds)) named.push(await jobs.get(id));
    const isWanted = (job: Job) =>
      (sweep === undefined || job.sweep === sweep) && (type === undefined || job.type === type);
    return { jobs: named.filter(isWanted), isCut: false };
  }
  if (sweep === undefined && type === undefined) {
    throw new RuntimeError('invalid', 'No jobs are named.', 'Give job_ids, sweep or type.');
  }
  const found = await jobs.list({
    sweep,
    type,
    project: sweep === undefined ? project : undefined,
    limit: mostLookedAt + 1,
  });
  if (sweep !== undefined && found.length === 0) {
    throw new RuntimeError('not_found', `There is no sweep ${sweep}.`, 'submit_jobs returns its id.');
  }
  return { jobs: found.slice(0, mostLookedAt).reverse(), isCut: found.length > mostLookedAt };
}

interface Candidate extends JobFacts {
  id: string;
  status: JobStatus;
}

/** Reads results in portions, and keeps only their plain numbers: those of a thousand backtests have 100 MB. */
async function readFacts(found: readonly Job[], jobs: Pick<Jobs, 'results'>): Promise<Candidate[]> {
  const facts: Candidate[] = [];
  for (let from = 0; from < found.length; from += readAtOnce) {
    const portion = found.slice(from, from + readAtOnce);
    const results = await jobs.results(portion.map(({ id }) => id));
    for (const job of portion) facts.push(factsOf(job, results.get(job.id) ?? null));
  }
  return facts;
}

/** A job with the plain values of its payload and the numbers of its result. */
function factsOf({ id, type, status, payload, metadata }: Job, result: Json): Candidate {
  const given = flatten(payload);
  // An agent that fills in defaults reports them as `params`.
  const filled = isObject(result) ? flatten(result.params ?? null) : {};
  const parameters = Object.fromEntries(
    Object.entries({ ...given, ...filled }).map(([name, value]) => [name.replace(/^params\./, ''), value]),
  );
  const numbers = Object.entries(flatten(result)).filter(
    (entry): entry is [string, number] => typeof entry[1] === 'number' && !entry[0].startsWith('params.'),
  );
  return { id, type, status, parameters, metadata: flatten(metadata), figures: Object.fromEntries(numbers) };
}

const isObject = (value: Json): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The plain values of an object by their path; lists of plain values stay whole, other lists are left out. */
function flatten(value: Json, path = '', into: JsonObject = {}): JsonObject {
  if (isObject(value)) {
    for (const [name, inner] of Object.entries(value)) flatten(inner, path === '' ? name : `${path}.${name}`, into);
  } else if (
    path !== '' &&
    value !== null &&
    !(Array.isArray(value) && (value.length > 20 || value.some((one) => typeof one === 'object')))
  ) {
    into[path] = value;
  }
  return into;
}

/** What trainings and backtests are usually judged by. */
const usualFigures = [
  'final_accuracy',
  'test.macro_f1',
  'test.r2',
  'test.rmse',
  'final_loss',
  'sharpe',
  'total_return',
  'max_drawdown',
  'relative.information_ratio',
];
const mostFigures = 6;

function chooseFigures(wanted: readonly string[] | undefined, jobs: readonly Candidate[]): Figure[] {
  if (wanted !== undefined && wanted.length > 0) {
    const figures = wanted.map((text) => ({
      name: text.replace(/^-/, ''),
      isLessBetter: text.startsWith('-') || isCost(text),
    }));
    // Before the first of them has ended, no job has any.
    const ended = jobs.filter((job) => Object.keys(job.figures).length > 0);
    requireKnown(
      figures.map(({ name }) => name),
      ended,
    );
    return figures;
  }
  const present = new Set(jobs.flatMap(({ figures }) => Object.keys(figures)));
  const usual = usualFigures.filter((name) => present.has(name));
  const names = usual.length > 0 ? usual : [...present].filter((name) => !name.includes('.'));
  return names.slice(0, mostFigures).map((name) => ({ name, isLessBetter: isCost(name) }));
}

/** Figures of which less is better by their name. A drawdown is 0 or negative: more is better. */
const isCost = (name: string): boolean =>
  /(^|[._])(loss|error|rmse|mae|mse|volatility|duration|seconds|ms|tracking_error|slippage_paid|commission_paid)($|_)/.test(
    name,
  );

function rank(jobs: readonly Candidate[], figure: Figure | undefined): Candidate[] {
  if (figure === undefined) return [...jobs];
  const { name, isLessBetter } = figure;
  const worthOf = (job: Candidate) => (job.figures[name] ?? Number.NaN) * (isLessBetter ? -1 : 1);
  return [...jobs].sort((a, b) => {
    const [first, second] = [worthOf(a), worthOf(b)];
    if (Number.isNaN(first) || Number.isNaN(second)) return Number(Number.isNaN(first)) - Number(Number.isNaN(second));
    return second - first;
  });
}

function splitParameters(jobs: readonly Candidate[]): { same: JsonObject; differing: string[] } {
  const names = [...new Set(jobs.flatMap(({ parameters }) => Object.keys(parameters)))];
  const valuesOf = (name: string) => new Set(jobs.map(({ parameters }) => JSON.stringify(parameters[name])));
  const differing = names.filter((name) => valuesOf(name).size > 1);
  const shared = names.filter((name) => !differing.includes(name));
  return { same: pick(jobs[0]?.parameters ?? {}, shared), differing };
}

function pick<Value>(from: Readonly<Record<string, Value>>, names: readonly string[]): Record<string, Value> {
  return Object.fromEntries(names.flatMap((name) => (from[name] === undefined ? [] : [[name, from[name]]]))) as Record<
    string,
    Value
  >;
}
