/** The allocator's flight recorder in Node-RED: where its files are, and how the editor gets at them. */
import path from 'node:path';
import type { Node, NodeAPI } from 'node-red';
import { FlightRecorder } from '../../drivers/flight-recorder/flight-recorder.ts';
import { numberField } from '../fields.ts';

export interface RecordingNode extends Node {
  recorder?: FlightRecorder;
}

/** `dlmAllocatorRecordings` of settings.js. */
interface RecordingSettings {
  /** How long after its cause a recording ends, s; 20 where it is absent. */
  afterSeconds?: unknown;
  /** So many files of an allocator are kept; 10 where it is absent. */
  files?: unknown;
}

const URL = '/fusewise/allocator/:id/recordings';

/** The recorder of an allocator's node. A setting that cannot be used is told, and does not stop the allocator. */
export function recorderOf(RED: NodeAPI, node: RecordingNode, epochOf: (at: number) => number): FlightRecorder {
  const setting = 'dlmAllocatorRecordings';
  const settings = (RED.settings as { [setting]?: RecordingSettings })[setting] ?? {};
  const read = (key: keyof RecordingSettings, range: { min: number; max: number; fallback: number; unit?: string }) => {
    try {
      return numberField(`${setting}.${key}`, settings[key], range);
    } catch (error) {
      node.error(error instanceof Error ? error.message : String(error));
      return range.fallback;
    }
  };
  node.recorder = new FlightRecorder({
    folder: path.join(RED.settings.userDir ?? '.', 'dlm', 'recordings'),
    owner: node.id,
    epochOf,
    warn: (text) => node.warn(text),
    log: (text) => node.log(text),
    afterMs: 1000 * read('afterSeconds', { min: 0, max: 600, fallback: 20, unit: 's' }),
    files: read('files', { min: 1, max: 1000, fallback: 10 }),
  });
  return node.recorder;
}

/** What the editor asks for: a list of recordings, one of them, and a new one. */
export function serveRecordings(RED: NodeAPI): void {
  type Response = Parameters<Parameters<typeof RED.httpAdmin.get>[1]>[1];
  /** Answers with the recorder of the node `id`; whatever goes wrong is told in one sentence. */
  const serve =
    (answer: (recorder: FlightRecorder, response: Response, name: string) => Promise<unknown>) =>
    (request: { params: Record<string, string> }, response: Response): void => {
      const { id, name = '' } = request.params;
      const node = RED.nodes.getNode(id) as RecordingNode | null;
      const recorder = node?.type === 'dlm-allocator' ? node.recorder : undefined;
      if (!recorder) {
        response.status(404).json({ message: 'no allocator with this id is running: deploy it first' });
        return;
      }
      answer(recorder, response, name).catch((error) =>
        response.status(500).json({ message: error instanceof Error ? error.message : String(error) }),
      );
    };
  const read = RED.auth.needsPermission('dlm-allocator.read');
  const write = RED.auth.needsPermission('dlm-allocator.write');
  RED.httpAdmin.get(
    URL,
    read,
    serve(async (recorder, response) => response.json(await recorder.list())),
  );
  RED.httpAdmin.post(
    URL,
    write,
    serve(async (recorder, response) => response.json({ name: await recorder.save() })),
  );
  RED.httpAdmin.get(
    `${URL}/:name`,
    read,
    serve(async (recorder, response, name) => {
      const file = await recorder.read(name);
      if (file) response.attachment(name).type('application/gzip').send(file);
      else response.status(404).json({ message: `${name.slice(0, 80)} — expected a name of the list` });
    }),
  );
}
