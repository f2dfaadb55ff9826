/** Defines the page's elements; importing it is enough. */
import { BootProgressElement } from "./boot-progress.ts";
import { ClientsPanelElement } from "./clients-panel.ts";
import { HandsPanelElement } from "./hands-panel.ts";
import { HostPageElement } from "./host-page.ts";
import { JoinPanelElement } from "./join-panel.ts";
import { MachineScreenElement } from "./machine-screen.ts";
import { SecretFormElement } from "./secret-form.ts";
import { SnapshotPanelElement } from "./snapshot-panel.ts";
import { ThreadsPanelElement } from "./threads-panel.ts";

const ELEMENTS = {
  "boot-progress": BootProgressElement,
  "clients-panel": ClientsPanelElement,
  "hands-panel": HandsPanelElement,
  "host-page": HostPageElement,
  "join-panel": JoinPanelElement,
  "machine-screen": MachineScreenElement,
  "secret-form": SecretFormElement,
  "snapshot-panel": SnapshotPanelElement,
  "threads-panel": ThreadsPanelElement,
};

for (const [name, element] of Object.entries(ELEMENTS)) {
  if (customElements.get(name) === undefined) customElements.define(name, element);
}
