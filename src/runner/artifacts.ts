import { createHash } from 'node:crypto';
import { existsSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { AgentError, type Artifact, type Dependency } from '../agents/define-agent.js';
import { RuntimeError } from '../base/errors.js';
import { newShortId } from '../base/ids.js';
import { makePrivateDirectory } from '../base/private-files.js';
import {
  listStoredArtifacts,
  mostStoredBytes,
  readArtifactBytes,
  storeArtifactBytes,
} from '../core/jobs/artifact-bytes.js';
import { recordArtifact } from '../core/jobs/attempts.js';
import type { AttemptKey } from '../core/jobs/outcome.js';
import { listArtifacts, type StoredArtifact } from '../core/jobs/read-jobs.js';
import { readResult } from '../core/jobs/second-names.js';
import type { Database } from '../store/sql.js';

/** Where the files of jobs are: in the data directory, and in the database too where several hosts share it. */
export interface ArtifactPlace {
  db: Database;
  dataDir: string;
}

export interface ArtifactToSave {
  name: string;
  data: string | Uint8Array;
  at: number;
}

/**
 * Writes a file of a job into the data directory and records it on the job; the same name replaces the earlier file. Where
 * hosts share the database its contents are stored there too, and the file is this host's copy. Throws `INVALID_ARTIFACT`
 * for a name with a path in it or for more than can be stored, and `SUPERSEDED`, with nothing changed, when another attempt
 * has taken over.
 */
export async function saveArtifact(
  { db, dataDir }: ArtifactPlace,
  key: AttemptKey,
  { name, data, at }: ArtifactToSave,
): Promise<Artifact> {
  const { jobId, token } = key;
  if (name !== basename(name) || name.startsWith('.') || name === '') {
    throw new AgentError('INVALID_ARTIFACT', `An artifact needs a plain file name, not ${JSON.stringify(name)}.`);
  }
  const bytes = typeof data === 'string' ? Buffer.from(data) : data;
  if (db.isShared && bytes.byteLength > mostStoredBytes) {
    throw new AgentError(
      'INVALID_ARTIFACT',
      `${name} has ${bytes.byteLength} bytes; the database takes ${mostStoredBytes} a file. Save it in parts.`,
    );
  }
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const path = db.isShared ? copyPath(dataDir, jobId, { name, sha256 }) : join(dataDir, 'artifacts', jobId, name);
  makePrivateDirectory(dirname(path));
  // Written under a name of this attempt's own first, so that no reader sees half a file.
  const part = join(dirname(path), `.${token}.part`);
  try {
    writeFileSync(part, bytes, { mode: 0o600 });
    await db.transaction(
      async (sql) => {
        const isCurrent = await recordArtifact(sql, key, { name, path, size_bytes: bytes.byteLength, sha256 }, at);
        if (!isCurrent) throw new AgentError('SUPERSEDED', `Another attempt of job ${jobId} has taken over.`);
        if (db.isShared) await storeArtifactBytes(sql, { jobId, name }, bytes);
        else renameSync(part, path);
      },
      { beside: true },
    );
    if (db.isShared) renameSync(part, path);
  } finally {
    rmSync(part, { force: true });
  }
  return { name, path, sizeBytes: bytes.byteLength, sha256 };
}

/** The jobs that a job depended on, with their results and files, in the order of their submission. */
export async function readDependencies(place: ArtifactPlace, jobId: string): Promise<Dependency[]> {
  const rows = await place.db.all<{ id: string; type: string; result: string | null }>(
    `select j.id, j.type, j.result from job_dependencies d join jobs j on j.id = d.depends_on
     where d.job_id = ? order by j.seq`,
    jobId,
  );
  const dependencies: Dependency[] = [];
  for (const { id, type, result } of rows) {
    const artifacts = await readArtifacts(place, id);
    dependencies.push({ id, type, result: readResult(type, result), artifacts });
  }
  return dependencies;
}

/** The files that a job has saved, by name, all of them on this host. */
export async function readArtifacts(place: ArtifactPlace, jobId: string): Promise<Artifact[]> {
  const stored = await bringArtifacts(place, jobId);
  return stored.map(({ name, path, size_bytes, sha256 }) => ({ name, path, sizeBytes: size_bytes, sha256 }));
}

/** The files that a job has saved, by name, each with its path on this host. It may be that it has yet to be brought. */
export async function findArtifacts({ db, dataDir }: ArtifactPlace, jobId: string): Promise<StoredArtifact[]> {
  const recorded = await listArtifacts(db, jobId);
  if (!db.isShared || recorded.length === 0) return recorded;
  // One from before the database was shared is a file of the host that had it.
  const stored = await listStoredArtifacts(db, jobId);
  return recorded.map((one) => (stored.has(one.name) ? { ...one, path: copyPath(dataDir, jobId, one) } : one));
}

/**
 * The same, after those that another host has saved were copied to this one; with `name`, that one alone. Throws
 * `unavailable` when a file cannot be written here.
 */
export async function bringArtifacts(place: ArtifactPlace, jobId: string, name?: string): Promise<StoredArtifact[]> {
  const artifacts = (await findArtifacts(place, jobId)).filter((one) => name === undefined || one.name === name);
  if (!place.db.isShared) return artifacts;
  const stored = await listStoredArtifacts(place.db, jobId);
  for (const artifact of artifacts) {
    if (stored.has(artifact.name) && !existsSync(artifact.path)) await copyHere(place, jobId, artifact);
  }
  return artifacts;
}

/** Removes this host's copies of what is no longer in the database. Resolves to the number of jobs. */
export async function removeOldCopies({ db, dataDir }: ArtifactPlace): Promise<number> {
  const folder = copiesIn(dataDir);
  if (!existsSync(folder)) return 0;
  let removed = 0;
  for (const jobId of readdirSync(folder)) {
    if (await db.get('select 1 from jobs where id = ?', jobId)) continue;
    rmSync(join(folder, jobId), { recursive: true, force: true });
    removed++;
  }
  return removed;
}

const copiesIn = (dataDir: string): string => join(dataDir, 'copies');

/** By its contents, so that a copy that is there is never out of date. */
const copyPath = (dataDir: string, jobId: string, { name, sha256 }: { name: string; sha256: string }): string =>
  join(copiesIn(dataDir), jobId, sha256.slice(0, 16), name);

async function copyHere({ db }: ArtifactPlace, jobId: string, { name, path, sha256 }: StoredArtifact): Promise<void> {
  makePrivateDirectory(dirname(path));
  const part = join(dirname(path), `.${newShortId()}.part`);
  let file: FileHandle | undefined;
  try {
    file = await open(part, 'wx', 0o600);
    const hash = createHash('sha256');
    for (let seq = 0; ; seq++) {
      const bytes = await readArtifactBytes(db, { jobId, name }, seq);
      if (bytes === undefined) break;
      hash.update(bytes);
      await file.write(bytes);
    }
    await file.close();
    if (hash.digest('hex') !== sha256) {
      throw new RuntimeError(
        'unavailable',
        `${name} of job ${jobId} was replaced while it was read.`,
        'Repeat the call.',
      );
    }
    renameSync(part, path);
  } finally {
    await file?.close().catch(() => {});
    rmSync(part, { force: true });
  }
}
