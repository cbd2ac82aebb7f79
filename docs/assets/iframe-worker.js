// A browser starts no worker on a page that was opened from a folder (file://). There, the site's search runs in a hidden
// frame with the interface of a worker, so that it works without a server.
if (location.protocol === "file:") {
  window.Worker = class {
    constructor(url) {
      this.frame = document.createElement("iframe");
      this.frame.hidden = true;
      this.frame.srcdoc = "<!doctype html>";
      this.ready = new Promise((resolve) => {
        this.frame.onload = () => {
          const inside = this.frame.contentWindow;
          inside.postMessage = (data) => this.onmessage?.(new MessageEvent("message", { data }));
          const script = this.frame.contentDocument.createElement("script");
          script.src = url;
          script.onload = () => resolve(inside);
          this.frame.contentDocument.body.append(script);
        };
      });
      document.body.append(this.frame);
    }

    postMessage(data) {
      this.ready.then((inside) => inside.onmessage(new MessageEvent("message", { data })));
    }

    terminate() {
      this.frame.remove();
    }
  };
}
