/** A central system written by others (ocpp-rpc, strict): it hears the stations, judges every frame by its own schemas, and calls them. */
import type { AddressInfo } from 'node:net';
import { RPCServer } from 'ocpp-rpc';

export interface JudgedCall {
  identity: string;
  method: string;
  params: Record<string, unknown>;
}

interface Client {
  identity: string;
  handle(handler: (call: { method: string; params: Record<string, unknown> }) => unknown): void;
  on(event: string, listener: (...args: never[]) => void): void;
  call(method: string, params: object): Promise<unknown>;
  close(options: { code?: number; reason?: string; force?: boolean }): Promise<unknown>;
}

export interface JudgeOptions {
  /** By identity; without any nobody is asked. */
  passwords?: Record<string, string>;
  answers?: Record<string, (params: Record<string, unknown>, identity: string) => object | undefined>;
  port?: number;
}

export class Judge {
  readonly heard: JudgedCall[] = [];
  /** What was not valid, in words. */
  readonly violations: string[] = [];
  readonly clients = new Map<string, Client>();
  url = '';
  #server: RPCServer;
  #waiting: { met: () => boolean; resolve: () => void }[] = [];
  #transactions = 0;

  private constructor(options: JudgeOptions) {
    this.#server = new RPCServer({ protocols: ['ocpp1.6'], strictMode: true });
    if (options.passwords) this.#askPasswords(options.passwords);
    this.#server.on('client', (client: Client) => this.#take(client, options));
  }

  static async start(options: JudgeOptions = {}): Promise<Judge> {
    const judge = new Judge(options);
    const http = await judge.#server.listen(options.port ?? 0, '127.0.0.1');
    judge.url = `ws://127.0.0.1:${(http.address() as AddressInfo).port}`;
    return judge;
  }

  /** Resolves when it is so; looked at whenever something was heard. The caller's test has the time limit. */
  until(met: () => boolean): Promise<void> {
    if (met()) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push({ met, resolve }));
  }

  async hears(method: string, where: (call: JudgedCall) => boolean = () => true, from = 0): Promise<JudgedCall> {
    const find = () => this.heard.slice(from).find((call) => call.method === method && where(call));
    await this.until(() => find() !== undefined);
    return find() as JudgedCall;
  }

  async call(identity: string, method: string, params: object = {}): Promise<Record<string, unknown>> {
    const client = this.clients.get(identity);
    if (!client) throw new Error(`${identity} is not connected`);
    return (await client.call(method, params)) as Record<string, unknown>;
  }

  async stop(): Promise<void> {
    await this.#server.close({ force: true });
  }

  #take(client: Client, options: JudgeOptions): void {
    this.clients.set(client.identity, client);
    const bad = (what: string) => (event: unknown) => {
      const { messageId: _id, ...rest } = event as Record<string, unknown>;
      this.violations.push(
        `${client.identity} ${what}: ${JSON.stringify(rest)} ${(rest.error as Error | undefined)?.message ?? ''}`,
      );
      this.#look();
    };
    client.on('strictValidationFailure', bad('not valid') as never);
    client.on('badMessage', bad('no message') as never);
    client.on('close', () => this.#look());
    client.handle(({ method, params }) => {
      this.heard.push({ identity: client.identity, method, params });
      setImmediate(() => this.#look());
      return options.answers?.[method]?.(params, client.identity) ?? this.#answer(method);
    });
    this.#look();
  }

  #answer(method: string): object {
    const currentTime = new Date().toISOString();
    const idTagInfo = { status: 'Accepted' };
    if (method === 'BootNotification') return { status: 'Accepted', currentTime, interval: 300 };
    if (method === 'Heartbeat') return { currentTime };
    if (method === 'Authorize') return { idTagInfo };
    if (method === 'StartTransaction') return { idTagInfo, transactionId: ++this.#transactions };
    if (method === 'DataTransfer' || method === 'SignCertificate') return { status: 'Accepted' };
    return {};
  }

  #askPasswords(passwords: Record<string, string>): void {
    this.#server.auth((accept, reject, { identity, password }) => {
      if (password?.toString() === passwords[identity]) accept();
      else reject(401, 'wrong password');
    });
  }

  #look(): void {
    const met = this.#waiting.filter((w) => w.met());
    this.#waiting = this.#waiting.filter((w) => !met.includes(w));
    for (const { resolve } of met) resolve();
  }
}
