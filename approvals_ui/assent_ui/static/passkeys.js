// Passkeys: the one thing that a browser can do only by script. A form with data-passkey="use" or "make" asks its own
// address, with /options behind it, what to do, lets the browser do it, and sends what came of it.
(() => {
  "use strict";

  const bytes = (text) => {
    const plain = atob(text.replace(/-/g, "+").replace(/_/g, "/"));
    return Uint8Array.from(plain, (letter) => letter.charCodeAt(0));
  };

  const text = (buffer) =>
    btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

  const readable = (list) => (list || []).map((each) => ({ ...each, id: bytes(each.id) }));

  async function send(address, form, content) {
    const headers = { "Content-Type": "application/json" };
    const token = form.elements.csrf?.value;
    if (token) headers["X-CSRF-Token"] = token;
    const answer = await fetch(address, { method: "POST", headers, body: JSON.stringify(content) });
    const said = await answer.json().catch(() => ({}));
    if (!answer.ok) throw new Error([said.what || said.detail || "That did not work.", said.todo].filter(Boolean).join(" "));
    return said;
  }

  async function use(options) {
    const publicKey = { ...options, challenge: bytes(options.challenge), allowCredentials: readable(options.allowCredentials) };
    const made = await navigator.credentials.get({ publicKey });
    const { clientDataJSON, authenticatorData, signature, userHandle } = made.response;
    return {
      id: made.id,
      rawId: text(made.rawId),
      type: made.type,
      response: {
        clientDataJSON: text(clientDataJSON),
        authenticatorData: text(authenticatorData),
        signature: text(signature),
        userHandle: userHandle ? text(userHandle) : null,
      },
    };
  }

  async function make(options) {
    const publicKey = {
      ...options,
      challenge: bytes(options.challenge),
      user: { ...options.user, id: bytes(options.user.id) },
      excludeCredentials: readable(options.excludeCredentials),
    };
    const made = await navigator.credentials.create({ publicKey });
    return {
      id: made.id,
      rawId: text(made.rawId),
      type: made.type,
      response: {
        clientDataJSON: text(made.response.clientDataJSON),
        attestationObject: text(made.response.attestationObject),
        transports: made.response.getTransports?.() || [],
      },
    };
  }

  function inWords(error) {
    if (error.name === "NotAllowedError") return "The browser was told not to, or took too long. Try again.";
    if (error.name === "InvalidStateError") return "This device has a passkey for you already.";
    if (error.name === "SecurityError") return "The browser allows no passkeys under this address.";
    return error.message || "That did not work. Try again.";
  }

  for (const form of document.querySelectorAll("form[data-passkey]")) {
    const button = form.querySelector("button");
    const fault = form.querySelector("[role=alert]");
    if (!window.PublicKeyCredential) {
      fault.textContent = "This browser has no passkeys.";
      fault.hidden = false;
      continue;
    }
    button.disabled = false;
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      button.disabled = true;
      fault.hidden = true;
      try {
        const options = await send(`${form.getAttribute("action")}/options`, form, {});
        const answer = await (form.dataset.passkey === "make" ? make : use)(options);
        const said = await send(form.getAttribute("action"), form, {
          answer,
          name: form.elements.name?.value || "",
          next: form.elements.next?.value || "/",
        });
        location.assign(said.to);
      } catch (error) {
        fault.textContent = inWords(error);
        fault.hidden = false;
        button.disabled = false;
      }
    });
  }
})();
