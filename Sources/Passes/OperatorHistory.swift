/// How the standard's operators changed, from the schemas of onnx 1.23.2; written by `tools/operator-history`.
///
/// A line an operator: the version that it came with, then each version that changed it. `N+types` takes more element
/// types or kinds of values; `N^what` adds what older nodes do without; `N~what` means something else.
enum OperatorHistory {
    static let table = """
        Abs: 1; 6~attribute consumed_inputs is gone; 13+bfloat16;
        Acos: 7; 22+bfloat16;
        Acosh: 9; 22+bfloat16;
        Add: 1; 6~attribute consumed_inputs is gone; 7~attribute axis broadcast is gone; 13+bfloat16; 14+int16 \
            int8 uint16 uint8;
        AffineGrid: 20;
        And: 1; 7~attribute axis broadcast is gone;
        ArgMax: 1; 11^described anew; 12^attribute select_last_index is new; 13+bfloat16;
        ArgMin: 1; 11^described anew; 12^attribute select_last_index is new; 13+bfloat16;
        Asin: 7; 22+bfloat16;
        Asinh: 9; 22+bfloat16;
        Atan: 7; 22+bfloat16;
        Atanh: 9; 22+bfloat16;
        Attention: 23; 24~input nonpad_kv_seqlen is new; 25~attribute left_window_size right_window_size is \
            new;
        AveragePool: 1; 7~attribute count_include_pad is new; 10~attribute ceil_mode is new; 11^described anew; \
            19^attribute dilations is new; 22+bfloat16;
        BatchNormalization: 1; 6~attribute consumed_inputs is gone; 7~attribute is_test is gone; 9~attribute \
            spatial is gone; 14~attribute training_mode is new, input mean var is gone, input input_mean \
            input_var is new, output mean saved_mean saved_var var is gone, output running_mean running_var is \
            new; 15^input B input_mean input_var scale differs, output running_mean running_var differs;
        Bernoulli: 15; 22+bfloat16;
        BitCast: 26;
        BitShift: 11; 28+int16 int32 int64 int8;
        BitwiseAnd: 18;
        BitwiseNot: 18;
        BitwiseOr: 18;
        BitwiseXor: 18;
        BlackmanWindow: 17;
        Cast: 1; 6~attribute to differs; 9+string; 13+bfloat16; 19^attribute saturate is new; 21+int4 uint4; \
            23+float4e2m1; 24^attribute round_mode is new; 25+int2 uint2; 28+float6e2m3 float6e3m2;
        CastLike: 15; 19^attribute saturate is new; 21+int4 uint4; 23+float4e2m1; 24^attribute round_mode is \
            new; 25+int2 uint2;
        CausalConvWithState: 27;
        Ceil: 1; 6~attribute consumed_inputs is gone; 13+bfloat16;
        Celu: 12; 28+bfloat16 float16 float64;
        CenterCropPad: 18;
        Clip: 1; 6~attribute consumed_inputs is gone, attribute max min differs; 11~attribute max min is gone, \
            input max min is new; 12+int16 int32 int64 int8 uint16 uint32 uint64 uint8; 13+bfloat16;
        Col2Im: 18;
        Compress: 9; 11^described anew; 28+bfloat16;
        Concat: 1; 4~attribute axis differs; 11^described anew; 13+bfloat16;
        ConcatFromSequence: 11;
        Constant: 1; 9+bool complex128 complex64 int16 int32 int64 int8 string uint16 uint32 uint64 uint8; \
            11~attribute sparse_value is new, attribute value differs; 12^attribute value_float value_floats \
            value_int value_ints value_string value_strings is new; 13+bfloat16; 19+float8e4m3fn float8e4m3fnuz \
            float8e5m2 float8e5m2fnuz; 21+int4 uint4; 23+float4e2m1; 24+float8e8m0; 25+int2 uint2;
        ConstantOfShape: 9; 20+bfloat16 float8e4m3fn float8e4m3fnuz float8e5m2 float8e5m2fnuz; 21+int4 uint4; \
            23+float4e2m1; 24+float8e8m0; 25+int2 uint2;
        Conv: 1; 11^described anew; 22+bfloat16;
        ConvInteger: 10;
        ConvTranspose: 1; 11~output_shape and auto_pad mean something else; 22+bfloat16;
        Cos: 7; 22+bfloat16;
        Cosh: 9; 22+bfloat16;
        CumProd: 26;
        CumSum: 11; 14+bfloat16 float16;
        DFT: 17; 20~attribute axis is gone, input axis is new;
        DeformConv: 19; 22+bfloat16;
        DepthToSpace: 1; 11~attribute mode is new; 13+bfloat16; 28~described anew;
        DequantizeLinear: 10; 13^attribute axis is new; 19^input x x_scale x_zero_point differs, output y \
            differs; 21^attribute block_size is new; 23^attribute output_dtype is new, output y differs; \
            24+float8e8m0; 25+int2 uint2; 28+float6e2m3 float6e3m2;
        Det: 11; 22+bfloat16;
        Div: 1; 6~attribute consumed_inputs is gone; 7~attribute axis broadcast is gone; 13+bfloat16; 14+int16 \
            int8 uint16 uint8;
        Dropout: 1; 6~attribute consumed_inputs is gone; 7~attribute is_test is gone; 10~output mask differs; \
            12~attribute ratio is gone, attribute seed is new, input ratio training_mode is new, output mask \
            differs; 13+bfloat16; 22+bfloat16 float8e4m3fn float8e4m3fnuz float8e5m2 float8e5m2fnuz;
        DynamicQuantizeLinear: 11;
        Einsum: 12; 28+bfloat16;
        Elu: 1; 6~attribute consumed_inputs is gone; 22+bfloat16;
        Equal: 1; 7~attribute axis broadcast is gone; 11+float16 float32 float64 int16 int8 uint16 uint32 \
            uint64 uint8; 13+bfloat16; 19+string;
        Erf: 9; 13~element types differ;
        Exp: 1; 6~attribute consumed_inputs is gone; 13+bfloat16;
        Expand: 8; 13+bfloat16;
        EyeLike: 9; 22+bfloat16;
        Flatten: 1; 9+bool complex128 complex64 int16 int32 int64 int8 string uint16 uint32 uint64 uint8; \
            11^described anew; 13+bfloat16; 21+float8e4m3fn float8e4m3fnuz float8e5m2 float8e5m2fnuz int4 \
            uint4; 23+float4e2m1; 24+float8e8m0; 25+int2 uint2;
        Floor: 1; 6~attribute consumed_inputs is gone; 13+bfloat16;
        GRU: 1; 3~attribute linear_before_reset is new, attribute direction differs, output Y_h differs; \
            7~attribute output_sequence is gone; 14^attribute layout is new; 22+bfloat16;
        Gather: 1; 11^described anew; 13+bfloat16;
        GatherElements: 11; 13+bfloat16;
        GatherND: 11; 12^attribute batch_dims is new; 13+bfloat16;
        Gelu: 20;
        Gemm: 1; 6~input C broadcasts differently; 7~attribute broadcast is gone; 9+int32 int64 uint32 uint64; \
            11~input C differs; 13+bfloat16;
        GlobalAveragePool: 1; 22+bfloat16;
        GlobalLpPool: 1; 2~attribute p differs; 22+bfloat16;
        GlobalMaxPool: 1; 22+bfloat16;
        Greater: 1; 7~attribute axis broadcast is gone; 9+int16 int32 int64 int8 uint16 uint32 uint64 uint8; \
            13+bfloat16;
        GreaterOrEqual: 12; 16+bfloat16;
        GridSample: 16; 20~attribute mode differs; 22+bfloat16;
        GroupNormalization: 18; 21~attribute stash_type is new;
        HammingWindow: 17;
        HannWindow: 17;
        HardSigmoid: 1; 6~attribute consumed_inputs is gone; 22+bfloat16;
        HardSwish: 14; 22+bfloat16;
        Hardmax: 1; 11^described anew; 13~attribute axis differs;
        Identity: 1; 13+bfloat16; 14^input input differs, output output differs; 16+optional; 19+float8e4m3fn \
            float8e4m3fnuz float8e5m2 float8e5m2fnuz; 21+int4 uint4; 23+float4e2m1; 24+float8e8m0; 25+int2 \
            uint2;
        If: 1; 11^described anew; 13+sequence; 16+bfloat16 optional sequence; 19+float8e4m3fn float8e4m3fnuz \
            float8e5m2 float8e5m2fnuz optional sequence; 21+int4 optional sequence uint4; 23+float4e2m1 \
            optional sequence; 24+float8e8m0 optional sequence; 25+int2 optional sequence uint2;
        ImageDecoder: 20;
        InstanceNormalization: 1; 6~attribute consumed_inputs is gone; 22+bfloat16;
        IsInf: 10; 20+bfloat16 float16 float8e4m3fn float8e4m3fnuz float8e5m2 float8e5m2fnuz;
        IsNaN: 9; 13+bfloat16; 20+float8e4m3fn float8e4m3fnuz float8e5m2 float8e5m2fnuz;
        LRN: 1; 13+bfloat16;
        LSTM: 1; 7~attribute output_sequence is gone; 14^attribute layout is new; 22+bfloat16;
        LayerNormalization: 17;
        LeakyRelu: 1; 6~attribute consumed_inputs is gone; 16+bfloat16;
        Less: 1; 7~attribute axis broadcast is gone; 9+int16 int32 int64 int8 uint16 uint32 uint64 uint8; \
            13+bfloat16;
        LessOrEqual: 12; 16+bfloat16;
        LinearAttention: 27;
        Log: 1; 6~attribute consumed_inputs is gone; 13+bfloat16;
        LogSoftmax: 1; 11^described anew; 13~attribute axis differs;
        Loop: 1; 11~element types differ; 13+sequence; 16+bfloat16 optional sequence; 19+float8e4m3fn \
            float8e4m3fnuz float8e5m2 float8e5m2fnuz optional sequence; 21+int4 optional sequence uint4; \
            23+float4e2m1 optional sequence; 24+float8e8m0 optional sequence; 25+int2 optional sequence uint2;
        LpNormalization: 1; 22+bfloat16;
        LpPool: 1; 2~attribute kernel_shape p differs; 11^described anew; 18^attribute ceil_mode dilations is \
            new; 22+bfloat16;
        MatMul: 1; 9+int32 int64 uint32 uint64; 13+bfloat16;
        MatMulInteger: 10;
        Max: 1; 6~attribute consumed_inputs is gone; 8^described anew; 12+int16 int32 int64 int8 uint16 uint32 \
            uint64 uint8; 13+bfloat16;
        MaxPool: 1; 8~attribute storage_order is new, output Indices is new; 10~attribute ceil_mode dilations \
            is new; 11^described anew; 12+int8 uint8; 22+bfloat16;
        MaxRoiPool: 1; 22+bfloat16;
        MaxUnpool: 9; 11^described anew; 22+bfloat16;
        Mean: 1; 6~attribute consumed_inputs is gone; 8^described anew; 13+bfloat16;
        MeanVarianceNormalization: 9; 13+bfloat16;
        MelWeightMatrix: 17;
        Min: 1; 6~attribute consumed_inputs is gone; 8^described anew; 12+int16 int32 int64 int8 uint16 uint32 \
            uint64 uint8; 13+bfloat16;
        Mish: 18; 22+bfloat16;
        Mod: 10; 13+bfloat16; 28~described anew;
        Mul: 1; 6~attribute consumed_inputs is gone; 7~attribute axis broadcast is gone; 13+bfloat16; 14+int16 \
            int8 uint16 uint8;
        Multinomial: 7; 22+bfloat16;
        Neg: 1; 6~attribute consumed_inputs is gone; 13+bfloat16;
        NegativeLogLikelihoodLoss: 12; 13^described anew; 22+bfloat16;
        NonMaxSuppression: 10; 11^described anew;
        NonZero: 9; 13+bfloat16;
        Not: 1;
        OneHot: 9; 11~negative indices count from the end; 28+bfloat16;
        Optional: 15; 28+bfloat16 float4e2m1 float6e2m3 float6e3m2 float8e4m3fn float8e4m3fnuz float8e5m2 \
            float8e5m2fnuz float8e8m0 int2 int4 optional sequence uint2 uint4;
        OptionalGetElement: 15; 18+bool complex128 complex64 float16 float32 float64 int16 int32 int64 int8 \
            sequence string uint16 uint32 uint64 uint8; 28+bfloat16 float4e2m1 float6e2m3 float6e3m2 \
            float8e4m3fn float8e4m3fnuz float8e5m2 float8e5m2fnuz float8e8m0 int2 int4 optional sequence uint2 \
            uint4;
        OptionalHasElement: 15; 18^input input differs; 28+bfloat16 float4e2m1 float6e2m3 float6e3m2 \
            float8e4m3fn float8e4m3fnuz float8e5m2 float8e5m2fnuz float8e8m0 int2 int4 optional sequence uint2 \
            uint4;
        Or: 1; 7~attribute axis broadcast is gone;
        PRelu: 1; 6~attribute consumed_inputs is gone; 7~the slope broadcasts differently; 9+int32 int64 uint32 \
            uint64; 16+bfloat16;
        Pad: 1; 2~attribute paddings is gone, attribute pads is new; 11~attribute pads value is gone, input \
            constant_value pads is new; 13+bfloat16 bool complex128 complex64 string; 18^input axes is new; \
            19^described anew; 21+float8e4m3fn float8e4m3fnuz float8e5m2 float8e5m2fnuz int4 uint4; \
            23+float4e2m1; 24+float8e8m0; 25+int2 uint2;
        Pow: 1; 7~attribute axis broadcast is gone; 12^input Y differs; 13+bfloat16; 15+bfloat16;
        QLinearConv: 10;
        QLinearMatMul: 10; 21^input a_scale b_scale y_scale differs;
        QuantizeLinear: 10; 13^attribute axis is new; 19^attribute saturate is new, input y_scale differs; \
            21^attribute block_size output_dtype is new; 23^attribute precision is new, input y_scale \
            y_zero_point differs, output y differs; 24+float8e8m0; 25+int2 uint2; 28+float6e2m3 float6e3m2;
        RMSNormalization: 23;
        RNN: 1; 7~attribute output_sequence is gone; 14^attribute layout is new; 22+bfloat16;
        RandomNormal: 1; 22+bfloat16;
        RandomNormalLike: 1; 22+bfloat16;
        RandomUniform: 1; 22+bfloat16;
        RandomUniformLike: 1; 22+bfloat16;
        Range: 11; 27~attribute stash_type is new;
        Reciprocal: 1; 6~attribute consumed_inputs is gone; 13+bfloat16;
        ReduceL1: 1; 11^described anew; 13+bfloat16; 18~attribute axes is gone, attribute noop_with_empty_axes \
            is new, input axes is new;
        ReduceL2: 1; 11^described anew; 13+bfloat16; 18~attribute axes is gone, attribute noop_with_empty_axes \
            is new, input axes is new;
        ReduceLogSum: 1; 11^described anew; 13+bfloat16; 18~attribute axes is gone, attribute \
            noop_with_empty_axes is new, input axes is new; 28~element types differ;
        ReduceLogSumExp: 1; 11^described anew; 13+bfloat16; 18~attribute axes is gone, attribute \
            noop_with_empty_axes is new, input axes is new; 28~element types differ;
        ReduceMax: 1; 11^described anew; 12+int8 uint8; 13+bfloat16; 18~attribute axes is gone, attribute \
            noop_with_empty_axes is new, input axes is new; 20+bool;
        ReduceMean: 1; 11^described anew; 13+bfloat16; 18~attribute axes is gone, attribute \
            noop_with_empty_axes is new, input axes is new;
        ReduceMin: 1; 11^described anew; 12+int8 uint8; 13+bfloat16; 18~attribute axes is gone, attribute \
            noop_with_empty_axes is new, input axes is new; 20+bool;
        ReduceProd: 1; 11^described anew; 13+bfloat16; 18~attribute axes is gone, attribute \
            noop_with_empty_axes is new, input axes is new;
        ReduceSum: 1; 11^described anew; 13~attribute axes is gone, attribute noop_with_empty_axes is new, \
            input axes is new;
        ReduceSumSquare: 1; 11^described anew; 13+bfloat16; 18~attribute axes is gone, attribute \
            noop_with_empty_axes is new, input axes is new;
        RegexFullMatch: 20;
        Relu: 1; 6~attribute consumed_inputs is gone; 13+bfloat16; 14+int16 int32 int64 int8;
        Reshape: 1; 5~attribute consumed_inputs shape is gone, input shape is new; 13+bfloat16; 14^attribute \
            allowzero is new; 19+float8e4m3fn float8e4m3fnuz float8e5m2 float8e5m2fnuz; 21+int4 uint4; \
            23+float4e2m1; 24+float8e8m0; 25+int2 uint2;
        Resize: 10; 11~attribute coordinate_transformation_mode cubic_coeff_a exclude_outside \
            extrapolation_value nearest_mode is new, input scales is gone, input roi scales sizes is new, input \
            X differs, output Y differs; 13^input roi scales differs; 18^attribute antialias axes \
            keep_aspect_ratio_policy is new; 19^described anew;
        ReverseSequence: 10; 28+bfloat16;
        RoiAlign: 10; 16~attribute coordinate_transformation_mode is new; 22+bfloat16;
        RotaryEmbedding: 23;
        Round: 11; 22+bfloat16;
        STFT: 17;
        Scan: 8; 9~attribute directions is gone, attribute scan_input_axes scan_input_directions \
            scan_output_axes scan_output_directions is new, input initial_state_and_scan_inputs sequence_lens \
            is gone, input initial_state_and_scan_inputs is new; 11^described anew; 16+bfloat16; \
            19+float8e4m3fn float8e4m3fnuz float8e5m2 float8e5m2fnuz; 21+int4 uint4; 23+float4e2m1; \
            24+float8e8m0; 25+int2 uint2;
        Scatter: 9; 11~the operator is deprecated;
        ScatterElements: 11; 13+bfloat16; 16^attribute reduction is new; 18^described anew;
        ScatterND: 11; 13+bfloat16; 16^attribute reduction is new; 18^described anew;
        Selu: 1; 6~attribute consumed_inputs is gone, attribute alpha gamma differs; 22+bfloat16;
        SequenceAt: 11;
        SequenceConstruct: 11;
        SequenceEmpty: 11;
        SequenceErase: 11;
        SequenceInsert: 11;
        SequenceLength: 11;
        SequenceMap: 17;
        Shape: 1; 13+bfloat16; 15^attribute end start is new; 19+float8e4m3fn float8e4m3fnuz float8e5m2 \
            float8e5m2fnuz; 21+int4 uint4; 23+float4e2m1; 24+float8e8m0; 25+int2 uint2;
        Shrink: 9;
        Sigmoid: 1; 6~attribute consumed_inputs is gone; 13+bfloat16;
        Sign: 9; 13+bfloat16;
        Sin: 7; 22+bfloat16;
        Sinh: 9; 22+bfloat16;
        Size: 1; 13+bfloat16; 19+float8e4m3fn float8e4m3fnuz float8e5m2 float8e5m2fnuz; 21+int4 uint4; \
            23+float4e2m1; 24+float8e8m0; 25+int2 uint2;
        Slice: 1; 10~attribute axes ends starts is gone, input axes ends starts steps is new; 11^described \
            anew; 13+bfloat16;
        Softmax: 1; 11^described anew; 13~attribute axis differs;
        SoftmaxCrossEntropyLoss: 12; 13+bfloat16;
        Softplus: 1; 22+bfloat16;
        Softsign: 1; 22+bfloat16;
        SpaceToDepth: 1; 13+bfloat16; 28~attribute mode is new;
        Split: 1; 2~attribute axis differs, input split is gone, output outputs... is gone, output outputs is \
            new; 11^described anew; 13~attribute split is gone, input split is new; 18~attribute num_outputs is \
            new;
        SplitToSequence: 11; 24+bfloat16 sequence;
        Sqrt: 1; 6~attribute consumed_inputs is gone; 13+bfloat16;
        Squeeze: 1; 11^described anew; 13~attribute axes is gone, input axes is new; 21+float8e4m3fn \
            float8e4m3fnuz float8e5m2 float8e5m2fnuz int4 uint4; 23+float4e2m1; 24+float8e8m0; 25+int2 uint2;
        StringConcat: 20;
        StringNormalizer: 10;
        StringSplit: 20;
        Sub: 1; 6~attribute consumed_inputs is gone; 7~attribute axis broadcast is gone; 13+bfloat16; 14+int16 \
            int8 uint16 uint8;
        Sum: 1; 6~attribute consumed_inputs is gone; 8^described anew; 13+bfloat16;
        SwiGLU: 28;
        Swish: 24;
        Tan: 7; 22+bfloat16;
        Tanh: 1; 6~attribute consumed_inputs is gone; 13+bfloat16;
        TensorScatter: 24;
        TfIdfVectorizer: 9;
        ThresholdedRelu: 10; 22+bfloat16;
        Tile: 1; 6~input axis tiles is gone, input repeats is new; 13+bfloat16;
        TopK: 1; 10~attribute k is gone, input K is new; 11~attribute largest sorted is new; 24+bfloat16;
        Transpose: 1; 13+bfloat16; 21+float8e4m3fn float8e4m3fnuz float8e5m2 float8e5m2fnuz int4 uint4; \
            23+float4e2m1; 24+float8e8m0; 25+int2 uint2;
        Trilu: 14;
        Unique: 11; 28+bfloat16;
        Unsqueeze: 1; 11^described anew; 13~attribute axes is gone, input axes is new; 21+float8e4m3fn \
            float8e4m3fnuz float8e5m2 float8e5m2fnuz int4 uint4; 23+float4e2m1; 24+float8e8m0; 25+int2 uint2;
        Upsample: 1; 7~attribute height_scale width_scale is gone, attribute scales is new; 9~attribute scales \
            is gone, input scales is new; 10~the operator is deprecated;
        Where: 9; 16+bfloat16;
        Xor: 1; 7~attribute axis broadcast is gone;
        ai.onnx.ml.ArrayFeatureExtractor: 1;
        ai.onnx.ml.Binarizer: 1;
        ai.onnx.ml.CastMap: 1;
        ai.onnx.ml.CategoryMapper: 1;
        ai.onnx.ml.DictVectorizer: 1;
        ai.onnx.ml.FeatureVectorizer: 1;
        ai.onnx.ml.Imputer: 1;
        ai.onnx.ml.LabelEncoder: 1; 2~attribute classes_strings is gone, attribute default_float keys_floats \
            keys_int64s keys_strings values_floats values_int64s values_strings is new; 4~attribute \
            default_tensor keys_tensor values_tensor is new;
        ai.onnx.ml.LinearClassifier: 1;
        ai.onnx.ml.LinearRegressor: 1;
        ai.onnx.ml.Normalizer: 1;
        ai.onnx.ml.OneHotEncoder: 1;
        ai.onnx.ml.SVMClassifier: 1;
        ai.onnx.ml.SVMRegressor: 1;
        ai.onnx.ml.Scaler: 1;
        ai.onnx.ml.TreeEnsemble: 5;
        ai.onnx.ml.TreeEnsembleClassifier: 1; 3~attribute base_values_as_tensor class_weights_as_tensor \
            nodes_hitrates_as_tensor nodes_values_as_tensor is new; 5~the operator is deprecated;
        ai.onnx.ml.TreeEnsembleRegressor: 1; 3~attribute base_values_as_tensor nodes_hitrates_as_tensor \
            nodes_values_as_tensor target_weights_as_tensor is new; 5~the operator is deprecated;
        ai.onnx.ml.ZipMap: 1;
        """
}
