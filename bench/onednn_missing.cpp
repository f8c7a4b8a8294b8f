#include "onednn_peer.hpp"

namespace bench {

std::unique_ptr<Contestant> make_onednn(const Problem&) {
  throw Missing("built without oneDNN; apt install libdnnl-dev, then configure again");
}

}  // namespace bench
