import { type FileHandle, open } from 'node:fs/promises';
import { isMissing } from './lock.js';

const HEAD_BYTES = 64 * 1024;
const TAIL_BYTES = 4 * 1024 * 1024;

/** Null when there is no such file. */
export async function readHeadAndTail(path: string): Promise<string | null> {
  let file: FileHandle;
  try {
    file = await open(path, 'r');
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
  try {
    const { size } = await file.stat();
    if (size <= HEAD_BYTES + TAIL_BYTES) return await read(file, 0, size);
    const left = size - HEAD_BYTES - TAIL_BYTES;
    return `${await read(file, 0, HEAD_BYTES)}\n[${left} bytes left out]\n${await read(file, size - TAIL_BYTES, TAIL_BYTES)}`;
  } finally {
    await file.close();
  }
}

async function read(file: FileHandle, position: number, length: number): Promise<string> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, position);
  return buffer.toString('utf8', 0, bytesRead);
}
