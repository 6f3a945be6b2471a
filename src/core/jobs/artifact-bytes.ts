import { insertRow } from '../../store/insert-row.js';
import type { Sql } from '../../store/sql.js';

/** The most that one file of a job may have in a database that several hosts share. */
export const mostStoredBytes = 64_000_000;

/** Small enough that no statement takes long, whatever the line. */
const chunkBytes = 1_000_000;

/** Which file of which job. */
export interface ArtifactKey {
  jobId: string;
  name: string;
}

/** Stores the contents of an artifact that is recorded, in place of the earlier ones. An empty file has one empty chunk. */
export async function storeArtifactBytes(sql: Sql, { jobId, name }: ArtifactKey, bytes: Uint8Array): Promise<void> {
  await sql.run('delete from artifact_chunks where job_id = ? and name = ?', jobId, name);
  for (let seq = 0; seq === 0 || seq * chunkBytes < bytes.byteLength; seq++) {
    const chunk = bytes.subarray(seq * chunkBytes, (seq + 1) * chunkBytes);
    await insertRow(sql, 'artifact_chunks', { job_id: jobId, name, seq, bytes: chunk });
  }
}

/** A piece of the contents of an artifact, counted from 0; undefined behind the last one. */
export async function readArtifactBytes(
  sql: Sql,
  { jobId, name }: ArtifactKey,
  seq: number,
): Promise<Uint8Array | undefined> {
  const row = await sql.get<{ bytes: Uint8Array }>(
    'select bytes from artifact_chunks where job_id = ? and name = ? and seq = ?',
    jobId,
    name,
    seq,
  );
  return row?.bytes;
}

/** The names of a job's artifacts whose contents are in the database. */
export async function listStoredArtifacts(sql: Sql, jobId: string): Promise<Set<string>> {
  const rows = await sql.all<{ name: string }>('select name from artifact_chunks where job_id = ? and seq = 0', jobId);
  return new Set(rows.map(({ name }) => name));
}
