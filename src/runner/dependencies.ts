import type { Artifact, Dependency } from '../agents/define-agent.js';
import { type Json, readJson } from '../base/json.js';
import { listArtifacts } from '../core/jobs/read-jobs.js';
import type { Sql } from '../store/sql.js';

/** The jobs that a job waited for, with what came of them. */
export async function readDependencies(sql: Sql, jobId: string): Promise<Dependency[]> {
  const rows = await sql.all<{ id: string; type: string; result: string | null }>(
    `select j.id, j.type, j.result from job_dependencies d join jobs j on j.id = d.depends_on
     where d.job_id = ? order by j.seq`,
    jobId,
  );
  const dependencies: Dependency[] = [];
  for (const { id, type, result } of rows) {
    const artifacts = await readArtifacts(sql, id);
    dependencies.push({ id, type, result: result === null ? null : readJson<Json>(result), artifacts });
  }
  return dependencies;
}

/** The files that a job has saved. */
export async function readArtifacts(sql: Sql, jobId: string): Promise<Artifact[]> {
  const stored = await listArtifacts(sql, jobId);
  return stored.map(({ name, path, size_bytes, sha256 }) => ({ name, path, sizeBytes: size_bytes, sha256 }));
}
