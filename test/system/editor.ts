/** Node-RED's editor in a browser, as a person uses it: drag, double-click, type, Done, Deploy. */
import type { Browser, BrowserContextOptions, Locator, Page } from 'playwright-core';

/** What of the editor's own `RED` these helpers use, in the page. */
interface EditorNode {
  id: string;
  type: string;
  valid: boolean;
  _def: { category: string; defaults: Record<string, { value: unknown; type?: string }> };
  [field: string]: unknown;
}
declare const RED: {
  nodes: {
    node(id: string): EditorNode | null;
    eachNode(visit: (node: EditorNode) => void): void;
    eachConfig(visit: (node: EditorNode) => void): void;
    getNodeHelp(type: string): string;
  };
  editor: { edit(node: EditorNode): void; editConfig(name: string, type: string, id: string): void };
};

export class Editor {
  readonly page: Page;
  /** What the browser complained of; what it cannot fetch from outside is not ours. */
  readonly complaints: string[] = [];

  private constructor(page: Page) {
    this.page = page;
    page.on('pageerror', (error) => this.complaints.push(error.message));
    page.on('console', (message) => {
      const ours = message.location().url.startsWith('http://127.0.0.1') || message.location().url === '';
      if (message.type() === 'error' && ours) this.complaints.push(message.text());
    });
  }

  static async open(browser: Browser, url: string, options: BrowserContextOptions = {}): Promise<Editor> {
    const context = await browser.newContext({ viewport: { width: 1280, height: 1000 }, ...options });
    const editor = new Editor(await context.newPage());
    await editor.page.goto(url);
    await editor.page.locator('.red-ui-palette-node[data-palette-type="dlm-allocator"]').waitFor();
    await editor.page.waitForFunction(() => {
      let nodes = 0;
      RED.nodes.eachNode(() => nodes++);
      return nodes > 0;
    });
    return editor;
  }

  close(): Promise<void> {
    return this.page.context().close();
  }

  /** Drags a node from the palette to the canvas; returns its id. */
  async drag(type: string): Promise<string> {
    const { page } = this;
    const before = await this.ids(type);
    const from = page.locator(`.red-ui-palette-node[data-palette-type="${type}"]`);
    await from.scrollIntoViewIfNeeded();
    const start = await middle(from);
    const canvas = await page.locator('#red-ui-workspace-chart').boundingBox();
    await page.mouse.move(start.x, start.y);
    await page.mouse.down();
    await page.mouse.move(start.x + 30, start.y + 10, { steps: 3 });
    await page.mouse.move(Math.max(start.x + 300, canvas?.x ?? 0), 820, { steps: 8 });
    await page.mouse.up();
    await page.waitForFunction(
      ([type, count]) => {
        let found = 0;
        RED.nodes.eachNode((node) => {
          if (node.type === type) found++;
        });
        return found > count;
      },
      [type, before.length] as const,
    );
    return (await this.ids(type)).find((id) => !before.includes(id)) as string;
  }

  ids(type: string): Promise<string[]> {
    return this.page.evaluate((type) => {
      const found: string[] = [];
      const visit = (node: EditorNode) => {
        if (node.type === type) found.push(node.id);
      };
      RED.nodes.eachNode(visit);
      RED.nodes.eachConfig(visit);
      return found;
    }, type);
  }

  /** Opens the form of a node and waits until it can be used. */
  async edit(id: string): Promise<Form> {
    const config = await this.page.evaluate((id) => {
      const node = RED.nodes.node(id) as EditorNode;
      const isConfig = node._def.category === 'config';
      if (isConfig) RED.editor.editConfig('', node.type, node.id);
      else RED.editor.edit(node);
      return isConfig;
    }, id);
    const form = new Form(this.page, config);
    await form.button('ok').waitFor();
    await form.settled();
    return form;
  }

  /** The fields of a node as the editor has them, and what they are by default. */
  node(id: string): Promise<{ valid: boolean; fields: Record<string, unknown>; defaults: Record<string, unknown> }> {
    return this.page.evaluate((id) => {
      const node = RED.nodes.node(id) as EditorNode;
      const names = Object.keys(node._def.defaults);
      return {
        valid: node.valid,
        fields: Object.fromEntries(names.map((name) => [name, node[name]])),
        defaults: Object.fromEntries(names.map((name) => [name, node._def.defaults[name].value])),
      };
    }, id);
  }

  help(type: string): Promise<string> {
    return this.page.evaluate((type) => RED.nodes.getNodeHelp(type), type);
  }

  /** Deploys, and returns what was sent. */
  async deploy(): Promise<{ flows: Record<string, unknown>[] }> {
    const sent = this.page.waitForResponse((r) => r.url().endsWith('/flows') && r.request().method() === 'POST');
    await this.page.locator('#red-ui-header-button-deploy').click();
    const confirm = this.page.locator(
      '#node-dialog-confirm-deploy-deploy, .ui-dialog .primary:visible, #red-ui-notifications .primary:visible',
    );
    await Promise.race([
      sent,
      confirm
        .first()
        .click()
        .catch(() => undefined),
    ]);
    const response = await sent;
    if (!response.ok()) throw new Error(`deploy: ${response.status()} ${await response.text()}`);
    return response.request().postDataJSON();
  }
}

/** An open form. */
export class Form {
  readonly #page: Page;
  readonly #prefix: string;
  readonly #dialog: string;

  constructor(page: Page, config: boolean) {
    this.#page = page;
    this.#prefix = config ? 'node-config-input' : 'node-input';
    this.#dialog = config ? 'node-config-dialog' : 'node-dialog';
  }

  field(name: string): Locator {
    return this.#page.locator(`#${this.#prefix}-${name}`);
  }

  button(name: 'ok' | 'cancel'): Locator {
    return this.#page.locator(`#${this.#dialog}-${name}`);
  }

  /** Types into a field, or chooses in a list, and leaves it. */
  async set(name: string, value: string): Promise<void> {
    const field = this.field(name);
    const tag = await field.evaluate((element) => element.tagName);
    if (tag === 'SELECT') await field.selectOption(value);
    else await field.fill(value);
    await field.blur();
  }

  /** Whether a field is marked as wrong. */
  wrong(name: string): Promise<boolean> {
    return this.field(name).evaluate((element) => element.classList.contains('input-error'));
  }

  /** The reason that the editor tells when the pointer rests on a wrong field; the form may move under it once. */
  async reason(name: string): Promise<string> {
    const popover = this.#page.locator('.red-ui-popover:visible').last();
    for (let told = false, tries = 0; !told; tries++) {
      if (tries === 5) throw new Error(`${name}: no reason is told`);
      await this.#page.mouse.move(2, 2);
      await this.field(name).hover();
      told = await popover.waitFor({ timeout: 3000 }).then(
        () => true,
        () => false,
      );
    }
    const text = (await popover.textContent()) ?? '';
    await this.#page.mouse.move(2, 2);
    await popover.waitFor({ state: 'hidden' });
    return text;
  }

  /** The form slides in: it can be used when it has come to rest. */
  async settled(): Promise<void> {
    const box = () => this.#page.locator('.red-ui-tray').last().boundingBox();
    for (let last = await box(); ; ) {
      const next = await box();
      if (last && next && last.x === next.x && last.width === next.width) return;
      await this.#page.waitForTimeout(30);
      last = next;
    }
  }

  async done(): Promise<void> {
    await this.button('ok').click();
    await this.button('ok').waitFor({ state: 'detached' });
  }

  async cancel(): Promise<void> {
    await this.button('cancel').click();
    await this.button('cancel').waitFor({ state: 'detached' });
  }
}

async function middle(locator: Locator): Promise<{ x: number; y: number }> {
  const box = await locator.boundingBox();
  if (!box) throw new Error('not visible');
  return { x: box.x + box.width / 2, y: box.y + box.height / 2 };
}
