import { gunzipSync } from 'node:zlib';

/** More than the recorder ever keeps: what is larger was not made by it. */
const LARGEST_BYTES = 500_000_000;

/** The lines of a recording's file, unpacked or as it is. Throws where it is damaged or too large. */
export function* recordingLines(file: Buffer): Generator<string> {
  const packed = file[0] === 0x1f && file[1] === 0x8b;
  const content = packed ? gunzipSync(file, { maxOutputLength: LARGEST_BYTES }) : file;
  for (let from = 0; from < content.length; ) {
    const end = content.indexOf('\n', from);
    const to = end < 0 ? content.length : end;
    yield content.toString('utf8', from, to);
    from = to + 1;
  }
}
