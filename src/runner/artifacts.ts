import { createHash } from 'node:crypto';
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { AgentError, type Artifact, type Dependency } from '../agents/define-agent.js';
import { makePrivateDirectory } from '../base/private-files.js';
import { recordArtifact } from '../core/jobs/attempts.js';
import type { AttemptKey } from '../core/jobs/outcome.js';
import { listArtifacts } from '../core/jobs/read-jobs.js';
import { readResult } from '../core/jobs/second-names.js';
import type { Database, Sql } from '../store/sql.js';

export interface ArtifactToSave {
  dataDir: string;
  name: string;
  data: string | Uint8Array;
  at: number;
}

/**
 * Writes a file of a job into the data directory and records it on the job; the same name replaces the earlier file.
 * Throws `INVALID_ARTIFACT` for a name with a path in it, and `SUPERSEDED`, with nothing changed, when another attempt
 * has taken over.
 */
export async function saveArtifact(
  db: Database,
  key: AttemptKey,
  { dataDir, name, data, at }: ArtifactToSave,
): Promise<Artifact> {
  const { jobId, token } = key;
  if (name !== basename(name) || name.startsWith('.') || name === '') {
    throw new AgentError('INVALID_ARTIFACT', `An artifact needs a plain file name, not ${JSON.stringify(name)}.`);
  }
  const directory = join(dataDir, 'artifacts', jobId);
  makePrivateDirectory(directory);
  const bytes = typeof data === 'string' ? Buffer.from(data) : data;
  const artifact: Artifact = {
    name,
    path: join(directory, name),
    sizeBytes: bytes.byteLength,
    sha256: createHash('sha256').update(bytes).digest('hex'),
  };
  // Written under a name of this attempt's own first, so that no reader sees half a file.
  const part = join(directory, `.${token}.part`);
  try {
    writeFileSync(part, bytes, { mode: 0o600 });
    await db.transaction(async (sql) => {
      const listed = { name, path: artifact.path, size_bytes: artifact.sizeBytes, sha256: artifact.sha256 };
      const isCurrent = await recordArtifact(sql, key, listed, at);
      if (!isCurrent) throw new AgentError('SUPERSEDED', `Another attempt of job ${jobId} has taken over.`);
      renameSync(part, artifact.path);
    });
  } finally {
    rmSync(part, { force: true });
  }
  return artifact;
}

/** The jobs that a job depended on, with their results and files, in the order of their submission. */
export async function readDependencies(sql: Sql, jobId: string): Promise<Dependency[]> {
  const rows = await sql.all<{ id: string; type: string; result: string | null }>(
    `select j.id, j.type, j.result from job_dependencies d join jobs j on j.id = d.depends_on
     where d.job_id = ? order by j.seq`,
    jobId,
  );
  const dependencies: Dependency[] = [];
  for (const { id, type, result } of rows) {
    const artifacts = await readArtifacts(sql, id);
    dependencies.push({ id, type, result: readResult(type, result), artifacts });
  }
  return dependencies;
}

/** The files that a job has saved, by name. */
export async function readArtifacts(sql: Sql, jobId: string): Promise<Artifact[]> {
  const stored = await listArtifacts(sql, jobId);
  return stored.map(({ name, path, size_bytes, sha256 }) => ({ name, path, sizeBytes: size_bytes, sha256 }));
}
