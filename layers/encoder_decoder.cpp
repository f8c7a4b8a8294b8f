#define REEL_COMPILE_ENCODER_DECODER
#include <reel/layers/encoder_decoder.hpp>

namespace reel::inline REEL_PRECISION {

template struct EncoderDecoder<Gru>;

}  // namespace reel::inline REEL_PRECISION
