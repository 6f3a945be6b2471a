import { createHash } from 'node:crypto';
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { AgentError, type Artifact } from '../agents/define-agent.js';
import { makePrivateDirectory } from '../base/private-directory.js';
import type { AttemptKey } from '../core/jobs/outcome.js';
import type { Database } from '../store/sql.js';

export interface ArtifactToSave {
  dataDir: string;
  name: string;
  data: string | Uint8Array;
  at: number;
}

/**
 * Writes a file of a job into the data directory and lists it on the job; the same name again replaces it. Fenced: an
 * attempt that has been superseded changes neither.
 */
export async function saveArtifact(
  db: Database,
  { jobId, token }: AttemptKey,
  { dataDir, name, data, at }: ArtifactToSave,
): Promise<Artifact> {
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
  // A name of its own, so that no reader sees half of it, nor another attempt's.
  const part = join(directory, `.${token}.part`);
  try {
    writeFileSync(part, bytes, { mode: 0o600 });
    await db.transaction(async (sql) => {
      const isCurrent = await sql.get('select 1 from jobs where id = ? and attempt_token = ?', jobId, token);
      if (!isCurrent) throw new AgentError('SUPERSEDED', `Another attempt of job ${jobId} has taken over.`);
      await sql.run(
        `insert into job_artifacts (job_id, name, path, size_bytes, sha256, created_at) values (?, ?, ?, ?, ?, ?)
         on conflict (job_id, name) do update set size_bytes = excluded.size_bytes, sha256 = excluded.sha256,
           created_at = excluded.created_at`,
        jobId,
        name,
        artifact.path,
        artifact.sizeBytes,
        artifact.sha256,
        at,
      );
      renameSync(part, artifact.path);
    });
  } finally {
    rmSync(part, { force: true });
  }
  return artifact;
}
